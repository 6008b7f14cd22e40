// Tells customers of what happened to their order, for the messages of a topic or a bus.
const text = (event) => (event.Records ? event.Records.map((record) => record.Sns.Message) : [JSON.stringify(event.detail)]);

export const handler = async (event) => {
  const messages = text(event);
  for (const message of messages) console.log(`mail from ${process.env.SENDER}: ${message}`);
  return { sent: messages.length, sender: process.env.SENDER, subject: { $ref: "orders/subject" } };
};
