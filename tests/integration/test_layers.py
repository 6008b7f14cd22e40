"""Layers: folders that functions share under /opt, where each runtime looks, as they were laid out."""

import shutil

from tests.integration.conftest import Sandboxed


def test_two_languages_share_a_layer(project: Sandboxed) -> None:
    text = (project.root / "lambdaimg.toml").read_text().replace("memory", 'layers = ["common"]\nmemory')
    project.write("lambdaimg.toml", f'{text}[layers.common]\nsource = "shared"\n')
    project.write("hello/requirements.txt", "")
    project.write("hello/app.py", "import shared\ndef handler(event, context):\n    return shared.WORD\n")
    project.write("named/index.mjs", 'import shared from "/opt/nodejs/node_modules/shared/index.js";\n'
                  'import { createRequire } from "node:module";\n'
                  "const found = createRequire(import.meta.url)('shared');\n"
                  "export const handler = async () => [shared, found];\n")  # fmt: skip
    project.write("shared/python/shared.py", 'WORD = "from the layer"\n')
    project.write("shared/nodejs/node_modules/shared/index.js", 'module.exports = "from the layer";\n')
    for file, mode in (("run.sh", 0o700), ("data.txt", 0o600), ("plain.sh", 0o644)):
        project.write(f"shared/extensions/{file}", "#!/bin/sh\n")
        (project.root / "shared" / "extensions" / file).chmod(mode)
    project.run("build")
    assert (
        project.run("shell", "hello", "python3", "-c", "import shared; print(shared.WORD)").stdout == "from the layer\n"
    )
    listed = project.run("shell", "named", "stat", "-c", "%a %n", "/opt/extensions/run.sh", "/opt/extensions/data.txt",
                         "/opt/extensions/plain.sh").stdout  # fmt: skip
    assert listed == "755 /opt/extensions/run.sh\n644 /opt/extensions/data.txt\n644 /opt/extensions/plain.sh\n"
    shutil.rmtree(project.root / "shared" / "extensions")  # the emulator starts whatever lies there
    project.run("build")
    assert project.run("invoke", "hello", "--rie").stdout == '"from the layer"'
    assert project.run("invoke", "named", "--rie").stdout == '["from the layer","from the layer"]'


def test_a_layer_that_is_not_there_is_named(project: Sandboxed) -> None:
    text = (project.root / "lambdaimg.toml").read_text().replace("memory", 'layers = ["common"]\nmemory', 1)
    project.write("lambdaimg.toml", text)
    assert "there is no layer 'common'" in project.run("build", code=2).stderr
    project.write("lambdaimg.toml", f"{text}[layers.common]\n")
    assert "there is no folder 'layers/common'" in project.run("build", code=2).stderr
