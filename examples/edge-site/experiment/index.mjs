// Origin request: group b gets the pages below /b.
export const handler = async (event) => {
  const request = event.Records[0].cf.request;
  const cookies = (request.headers.cookie ?? []).map((cookie) => cookie.value).join("; ");
  if (/\bgroup=b\b/.test(cookies) && request.uri.endsWith(".html")) request.uri = `/b${request.uri}`;
  return request;
};
