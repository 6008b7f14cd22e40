using System.Text.Json.Serialization;
using Amazon.Lambda.RuntimeSupport;
using Amazon.Lambda.Serialization.SystemTextJson;

static Greeting Handler(Event input) => new($"Hello, {input.Name ?? "World"}");

await LambdaBootstrapBuilder
    .Create<Event, Greeting>(Handler, new SourceGeneratorLambdaJsonSerializer<Shapes>())
    .Build()
    .RunAsync();

record Event([property: JsonPropertyName("name")] string? Name);

record Greeting([property: JsonPropertyName("message")] string Message);

[JsonSerializable(typeof(Event))]
[JsonSerializable(typeof(Greeting))]
partial class Shapes : JsonSerializerContext;
