def handler(event:, context:)
  { message: "Hello, #{event["name"] || "World"}" }
end
