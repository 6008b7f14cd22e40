if (process.env.FAIL === "init") {
  throw new TypeError("no start");
}

export const handler = async (event: { name?: string; do?: string }): Promise<{ message: string }> => {
  switch (event.do) {
    case "fail":
      throw new TypeError("on purpose");
    case "exit":
      process.exit(3);
    case "hang":
      await new Promise((resolve) => setTimeout(resolve, 30_000));
  }
  return { message: `Hello, ${event.name ?? "World"}` };
};
