if [ "${FAIL:-}" = init ]; then
  echo "no start" >&2
  return 1
fi

handler() {
  case $1 in
    *fail*) echo "on purpose" >&2; return 3 ;;
    *exit*) kill -KILL $$ ;;
    *hang*) sleep 30 ;;
  esac
  printf '{"message": "Hello, Ada"}'
}
