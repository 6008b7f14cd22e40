#include <aws/lambda-runtime/runtime.h>

#include <cstdlib>
#include <string>
#include <unistd.h>

using namespace aws::lambda_runtime;

static invocation_response handler(invocation_request const& request)
{
    if (request.payload.find("fail") != std::string::npos) {
        return invocation_response::failure("on purpose", "Trouble", "");
    }
    if (request.payload.find("exit") != std::string::npos) {
        std::_Exit(3);
    }
    if (request.payload.find("hang") != std::string::npos) {
        sleep(30);
    }
    return invocation_response::success(R"({"message": "Hello, Ada"})", "application/json");
}

int main()
{
    if (std::getenv("FAIL") != nullptr) {
        return 1;
    }
    run_handler(handler);
    return 0;
}
