// CommonJS, as a .js file without a package.json is.
if (process.env.FAIL === "init") {
  throw new TypeError("on purpose");
}

exports.handler = async ({ name = "World", do: what }) => {
  if (what === "fail") {
    throw new RangeError("on purpose");
  }
  if (what === "exit") {
    process.exit(3);
  }
  if (what === "hang") {
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  }
  return { message: `Hello, ${name}` };
};
