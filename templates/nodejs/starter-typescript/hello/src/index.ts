import type { Context } from "aws-lambda";

interface Greeting {
  message: string;
}

export const handler = async (event: { name?: string }, _context: Context): Promise<Greeting> => ({
  message: `Hello, ${event.name ?? "World"}`,
});
