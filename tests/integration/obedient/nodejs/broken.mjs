export const handler = async () => 1 2;
