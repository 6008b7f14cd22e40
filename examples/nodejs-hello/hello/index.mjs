import { v5 as uuid } from "uuid";

// Greets, and gives each name an id of its own.
export const handler = async (event) => {
  const name = event.name ?? "world";
  return { message: `Hello, ${name}`, id: uuid(name, uuid.URL) };
};
