# The function: its first argument is the event, what it prints is the response, and a failure is its return code.
handler() {
  local name
  name=$(sed -nE 's/.*"name" *: *"([^"]*)".*/\1/p' <<<"$1")
  printf '{"message": "Hello, %s"}' "${name:-World}"
}
