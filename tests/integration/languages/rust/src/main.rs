use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};
use std::{env, process, thread, time::Duration};

async fn handler(event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    match event.payload["do"].as_str() {
        Some("fail") => {
            return Err(Diagnostic { error_type: "Trouble".into(), error_message: "on purpose".into() });
        }
        Some("exit") => process::exit(3),
        Some("hang") => thread::sleep(Duration::from_secs(30)),
        _ => {}
    }
    Ok(json!({"message": format!("Hello, {}", event.payload["name"].as_str().unwrap_or("World"))}))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if env::var("FAIL").is_ok_and(|value| value == "init") {
        return Err("no start".into());
    }
    run(service_fn(handler)).await
}
