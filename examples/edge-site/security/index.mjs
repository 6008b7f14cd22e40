// Origin response: headers that a browser heeds. They are cached with the page.
const HEADERS = {
  "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
  "Content-Security-Policy": "default-src 'self'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};

export const handler = async (event) => {
  const response = event.Records[0].cf.response;
  for (const [key, value] of Object.entries(HEADERS)) {
    response.headers[key.toLowerCase()] = [{ key, value }];
  }
  return response;
};
