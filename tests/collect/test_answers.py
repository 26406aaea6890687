"""What counts as an answer, and what stays a gap."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.collect.answers import CloudError, classify
from auditor.collect.operations import OPERATIONS
from auditor.collect.redaction import redact
from auditor.inventory.coverage import kind_of

SERVICES = OPERATIONS["privatelink:ListVpcEndpointServices"]
BALANCERS = OPERATIONS["slb:DescribeLoadBalancers"]


def _data(body: Any) -> bytes:
    return json.dumps(body).encode()


def _error(operation: Any = SERVICES, status: int = 200, data: bytes = b"{}", **headers: str) -> CloudError:
    with pytest.raises(CloudError) as caught:
        classify(operation, status, {name.replace("_", "-"): value for name, value in headers.items()}, data)
    return caught.value


def test_an_answer_is_the_raw_body() -> None:
    body = {"RequestId": "R", "Services": [{"ServiceId": "epsrv-1", "NewField": 1}]}
    answer = classify(SERVICES, 200, {}, _data(body))
    assert (answer.body, answer.request_id) == (body, "R")
    assert classify(
        OPERATIONS["cms:DescribeMetricRuleList"],
        200,
        {},
        _data({"RequestId": "R", "Code": "200", "Alarms": {"Alarm": []}}),
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b'{"RequestId": "R", "Services": [NaN]}',
        b"\xff\xfe",
        b"[" * 100_000,
        _data({"Services": []}),
        _data({"RequestId": "R"}),
        _data({"RequestId": 5, "Services": []}),
        _data({"RequestId": "R", "Services": None}),
        _data({"RequestId": "R", "Services": {}}),
        _data({"RequestId": "R", "Services": "none"}),
        _data({"RequestId": "R", "Services": [], "Success": False}),
        _data({"RequestId": "R", "Code": "Forbidden.RAM", "Message": "no", "Services": []}),
        _data({"RequestId": "R", "Code": "ServiceUnavailable", "Message": "no"}),
    ],
)
def test_a_200_that_is_not_understood_is_malformed_never_empty(data: bytes) -> None:
    assert _error(data=data).code == "Plaudit.Malformed"


@pytest.mark.parametrize("outer", [None, [], "x", {}, {"LoadBalancer": None}, {"LoadBalancer": {}}])
def test_old_style_lists_need_both_wrappers(outer: Any) -> None:
    assert _error(BALANCERS, data=_data({"RequestId": "R", "LoadBalancers": outer})).code == "Plaudit.Malformed"


@pytest.mark.parametrize("status", [301, 302, 307, 201, 204, 299])
def test_redirects_and_odd_statuses_are_refused(status: int) -> None:
    assert _error(status=status, data=_data({"RequestId": "R", "Services": []})).code == "Plaudit.Malformed"


def test_errors_keep_code_request_id_and_the_missing_action() -> None:
    body = {
        "Code": "Forbidden.RAM",
        "Message": "User not authorized.",
        "RequestId": "R-9",
        "AccessDeniedDetail": {
            "AuthAction": "privatelink:ListVpcEndpointServices",
            "EncodedDiagnosticMessage": "A" * 60,
        },
    }
    error = _error(status=403, data=_data(body))
    assert (error.code, error.request_id, error.status) == ("Forbidden.RAM", "R-9", 403)
    assert "privatelink:ListVpcEndpointServices" in error.message
    assert "AAAA" not in error.message
    assert not (error.throttled or error.server_side or error.credentials or error.not_found)


@pytest.mark.parametrize(
    ("status", "data", "code", "kind"),
    [
        (503, b"<html>busy</html>", "503", "unreachable"),
        (502, b"", "502", "unreachable"),
        (500, b"[]", "500", "unreachable"),
        (400, b"<Error><Code>InvalidParameter</Code></Error>", "InvalidParameter", "refused"),
        (429, b"{}", "429", "refused"),
    ],
)
def test_errors_without_a_json_object(status: int, data: bytes, code: str, kind: str) -> None:
    error = _error(status=status, data=data)
    assert (error.code, kind_of(error.code)) == (code, kind)
    assert error.server_side is (status >= 500)
    assert error.throttled is (status == 429)


@pytest.mark.parametrize(
    "code", ["Throttling", "Throttling.User", "Throttling.Api", "Rejected.Throttling", "QPS Limit Exceeded"]
)
def test_throttling_is_found_by_its_code(code: str) -> None:
    assert _error(status=400, data=_data({"Code": code, "RequestId": "R"})).throttled


@pytest.mark.parametrize(
    ("value", "seconds"), [("800", 0.8), ("0", None), ("-5", None), ("soon", None), ("9" * 30, None), ("²", None)]
)
def test_retry_after_is_in_milliseconds(value: str, seconds: float | None) -> None:
    error = _error(status=400, data=_data({"Code": "X", "RequestId": "R"}), x_acs_retry_after=value)
    assert error.retry_after == seconds
    assert error.throttled is (seconds is not None)


def test_unavailable_with_status_400_is_not_the_server_being_busy() -> None:
    assert not _error(status=400, data=_data({"Code": "ServiceUnavailable", "RequestId": "R"})).server_side


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("EndpointNotFound", True),
        ("AclNotExist", True),
        ("InvalidLoadBalancerId.NotFound", True),
        ("InvalidAccessKeyId.NotFound", False),
        ("InvalidAction.NotFound", False),
        ("Forbidden.RAM", False),
    ],
)
def test_not_found(code: str, expected: bool) -> None:
    assert CloudError(code, "").not_found is expected


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["Services", "RequestId", "Code", "Message", "a"]), inner)
        ),
        max_leaves=8,
    )
)
@settings(max_examples=150, deadline=None)
def test_whatever_comes_is_an_answer_or_a_cloud_error(body: Any) -> None:
    for status in (200, 404, 500):
        try:
            answer = classify(SERVICES, status, {}, _data(body))
        except CloudError as error:
            assert error.code
        else:
            assert isinstance(answer.body["Services"], list)


@pytest.mark.parametrize(
    "text",
    [
        "GET https://sts.aliyuncs.com/?Action=AssumeRole&AccessKeyId=LTAI5tSecretKeyId"
        "&Signature=abc%2Fdef%3D&SecurityToken=CAISabc failed",
        "Max retries exceeded with url: /?AccessKeyId=LTAI5tSecretKeyId&Signature=abc%2Fdef%3D (Caused by X)",
        "Authorization: ACS3-HMAC-SHA256 Credential=LTAI5tSecretKeyId,SignedHeaders=host,Signature=abc%2Fdef%3D",
        "{'access_key_secret': 'abc/def=', \"SecurityToken\": \"CAISabc\", 'access_key_id': 'LTAI5tSecretKeyId'}",
        "sts_token=CAISabc oauth_refresh_token: CAISabc Bearer CAISabcCAISabc",
        "The server string to sign is: POST\n/\nx-acs-security-token:CAISabc\nabc/def=",
        "token eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl STS.NTsecretkeyid",
    ],
)
def test_secrets_are_redacted(text: str) -> None:
    shown = redact(text)
    for secret in ("LTAI5tSecretKeyId", "abc%2Fdef", "abc/def", "CAISabc", "STS.NT", "eyJ"):
        assert secret not in shown
    assert shown


def test_redaction_knows_given_secrets_and_keeps_to_one_line() -> None:
    shown = redact("a\x1b[31m\nhunter22 \ud800" + "x" * 1000, "hunter22", None, "")
    assert "hunter22" not in shown
    assert shown.isprintable()
    assert len(shown) <= 400
    shown.encode("utf-8")
    assert (
        redact("The caller lacks slb:DescribeRules on acs:slb:*:1234567890123456:*")
        == "The caller lacks slb:DescribeRules on acs:slb:*:1234567890123456:*"
    )
