"""docs/openapi.yaml as the judge of answers: is this status documented for the call, this body of the
documented form, this problem code one of those that the document names?
"""
import json
import pathlib
import re

import jsonschema
import yaml

FILE = pathlib.Path(__file__).resolve().parents[2] / "docs/openapi.yaml"
PROBLEM = "application/problem+json"


class ApiDocument:
    def __init__(self):
        self.document = yaml.safe_load(FILE.read_text())
        self.operations = {(method.upper(), path): operation
                           for path, item in self.document["paths"].items()
                           for method, operation in item.items()}
        self.good_seen = set()  # calls
        self.codes_seen = {call: set() for call in self.operations}

    def codes(self, call):
        return set(self.operations[call]["x-codes"])

    def examples(self):
        """(call, faults) of each example of a request."""
        for call, operation in self.operations.items():
            for media in operation.get("requestBody", {}).get("content", {}).values():
                if "example" in media:
                    yield call, self._faults(media["schema"], media["example"])

    def judge(self, call, status, headers, content):
        """What is wrong with an answer; nothing is. Notes what it has seen."""
        documented = self.operations[call]["responses"].get(str(status))
        if documented is None:
            return [f"status {status} is not documented"]
        faults = [f"no header {name}" for name in documented.get("headers", {})
                  if name not in headers]
        if status < 400:
            self.good_seen.add(call)
        if "content" not in documented:
            return faults + (["a body"] if content else [])
        media = headers.get("Content-Type", "").split(";")[0]
        if media not in documented["content"]:
            return faults + [f"type {media}"]
        if media == "application/octet-stream":
            return faults
        value = json.loads(content)
        faults += self._faults(documented["content"][media]["schema"], value)
        if media == PROBLEM and not faults:
            code = value["code"]
            self.codes_seen[call].add(code)
            if code not in re.split(r"[\s,]+", documented["description"]):
                faults.append(f"code {code} is not documented for {status}")
            if value["status"] != status:
                faults.append("another status inside")
        return faults

    def takes(self, call, body):
        """What is wrong with a request's JSON body."""
        content = self.operations[call]["requestBody"]["content"]
        return self._faults(content["application/json"]["schema"], body)

    def _faults(self, schema, value):
        whole = {**self._closed(schema), "components": self._closed(self.document["components"])}
        validator = jsonschema.Draft202012Validator(whole)
        return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]

    def _closed(self, part):
        """The same, so that members that the document does not name are faults."""
        if isinstance(part, list):
            return [self._closed(one) for one in part]
        if not isinstance(part, dict):
            return part
        out = {name: self._closed(one) for name, one in part.items()}
        if out.get("type") == "object" and "properties" in out:
            out.setdefault("additionalProperties", False)
        return out


def negative_control(checks):
    """The judge finds what is wrong with an answer."""
    judge = ApiDocument().judge
    call, told = ("GET", "/v1/transfers/history"), {"Content-Type": "application/json"}
    problem = {"type": "about:blank", "title": "x", "status": 404, "code": "not_found"}
    as_problem = {"Content-Type": PROBLEM}
    checks.that("an answer of the documented form is good",
                not judge(call, 200, told, b'{"history":"AA"}')
                and not judge(call, 404, as_problem, json.dumps(problem).encode()))
    checks.that("every other one is not (negative control)", all([
        judge(call, 418, told, b'{"history":"AA"}'), judge(call, 200, told, b'{"history":7}'),
        judge(call, 200, told, b'{}'), judge(call, 200, told, b'{"history":"AA","more":1}'),
        judge(call, 200, {"Content-Type": "text/html"}, b'{"history":"AA"}'),
        judge(call, 404, as_problem, json.dumps({**problem, "code": "conflict"}).encode()),
        judge(call, 404, as_problem, json.dumps({**problem, "status": 200}).encode()),
        judge(("POST", "/v1/verifications"), 202, told, b'{"session":"A","valid_s":1,"resend_s":1,"number":1}')]))
