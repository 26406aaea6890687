"""Strict robots on loopback, written from the vendors' documentation: signature, content type, size, markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from typing import Any

from tests.delivery.receivers import Receiver, Request, Response


def hmac_sha256(key: bytes, text: bytes) -> bytes:
    """RFC 2104 by its definition, so that a mistake in the use of a library is not checked with the same mistake."""
    key = hashlib.sha256(key).digest() if len(key) > 64 else key
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key.ljust(64, b"\0")) + text).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in key.ljust(64, b"\0")) + inner).digest()


class Robot(Receiver):
    """What the robots share; `messages` are those that were shown."""

    limit = 1_000_000

    def __init__(self, path: str = "/robot/send", **more: Any) -> None:
        super().__init__(**more)
        self.path = path
        self.messages: list[dict[str, Any]] = []

    def answer(self, request: Request) -> Response:
        assert request.path == self.path
        assert request.headers["content-type"] == "application/json; charset=utf-8"
        assert "content-encoding" not in request.headers
        if len(request.body) > self.limit:
            return self.too_long()
        body = json.loads(request.body.decode("utf-8"))
        return self.judge(request, body)

    def too_long(self) -> Response:
        raise AssertionError("too long")

    def judge(self, request: Request, body: dict[str, Any]) -> Response:
        raise AssertionError("a subclass answers")


class DingTalkRobot(Robot):
    limit = 20_000

    def __init__(self, token: str, secret: str = "", **more: Any) -> None:
        super().__init__(**more)
        self.token, self.secret = token, secret

    @staticmethod
    def said(code: int, text: str) -> Response:
        return Response(200, json.dumps({"errcode": code, "errmsg": text}), {"Content-Type": "application/json"})

    def too_long(self) -> Response:
        return self.said(460101, "message too long, exceed 20000 bytes")

    def judge(self, request: Request, body: dict[str, Any]) -> Response:
        if request.query.get("access_token") != [self.token]:
            return self.said(300005, f"token is not exist {request.query}")
        if self.secret:
            (stamp,), (sign,) = request.query["timestamp"], request.query["sign"]
            assert re.fullmatch("[0-9]{13}", stamp), "milliseconds"
            expected = base64.b64encode(hmac_sha256(self.secret.encode(), f"{stamp}\n{self.secret}".encode())).decode()
            if sign != expected or abs(time.time() * 1000 - int(stamp)) > 3_600_000:
                return self.said(310000, f"sign not match, more: [{request.query}]")
        assert set(body) == {"msgtype", "markdown", "at"} and body["msgtype"] == "markdown"
        assert set(body["markdown"]) == {"title", "text"} and body["markdown"]["title"] and body["markdown"]["text"]
        assert body["at"] == {"isAtAll": False}
        self.messages.append(body)
        return self.said(0, "ok")


class FeishuBot(Robot):
    limit = 20_000

    def __init__(self, secret: str = "", **more: Any) -> None:
        super().__init__(**more)
        self.secret = secret

    @staticmethod
    def said(code: int, text: str) -> Response:
        return Response(200, json.dumps({"code": code, "data": {}, "msg": text}))

    def too_long(self) -> Response:
        return self.said(9499, "Bad Request")

    def judge(self, request: Request, body: dict[str, Any]) -> Response:
        if self.secret:
            stamp = body.pop("timestamp")
            assert re.fullmatch("[0-9]{10}", stamp), "seconds, as text"
            expected = base64.b64encode(hmac_sha256(f"{stamp}\n{self.secret}".encode(), b"")).decode()
            if body.pop("sign") != expected or abs(time.time() - int(stamp)) > 3600:
                return self.said(19021, "sign match fail or timestamp is not within one hour from current time")
        assert set(body) == {"msg_type", "card"} and body["msg_type"] == "interactive"
        for text in self.texts(body["card"]):
            assert text["tag"] == "plain_text", "text with markup could hold a mention"
        self.messages.append(body)
        return self.said(0, "success")

    def texts(self, element: Any) -> list[dict[str, Any]]:
        """Every object of a card with a content."""
        if isinstance(element, list):
            return [text for one in element for text in self.texts(one)]
        if not isinstance(element, dict):
            return []
        own = [element] if "content" in element else []
        return own + [text for one in element.values() for text in self.texts(one)]


class SlackHook(Robot):
    def judge(self, request: Request, body: dict[str, Any]) -> Response:
        assert set(body) == {"text", "blocks"}
        if not 0 < len(body["blocks"]) <= 50 or len(body["text"]) > 4000:
            return Response(400, "invalid_blocks")
        for block in body["blocks"]:
            text = block["text"]
            if block["type"] == "header":
                assert text["type"] == "plain_text" and not text["emoji"]
                limit = 150
            else:
                assert block["type"] == "section" and text["type"] == "mrkdwn" and text["verbatim"] is True
                limit = 3000
            if not 0 < len(text["text"]) <= limit:
                return Response(400, "invalid_blocks")
        self.messages.append(body)
        return Response(200, "ok")


class WebHook(Robot):
    """The generic one: checks a bearer token or the signature over the body as sent."""

    def __init__(self, token: str = "", key: str = "", **more: Any) -> None:
        super().__init__(**more)
        self.token, self.key = token, key

    def judge(self, request: Request, body: dict[str, Any]) -> Response:
        headers = request.headers
        if self.token and headers.get("authorization") != f"Bearer {self.token}":
            return Response(401, f"who is {headers.get('authorization')}")
        if self.key:
            stamp = headers["x-plaudit-timestamp"]
            assert abs(time.time() - int(stamp)) < 300
            expected = "v1=" + hmac_sha256(self.key.encode(), f"v1:{stamp}:".encode() + request.body).hex()
            if headers.get("x-plaudit-signature") != expected:
                return Response(401, "bad signature")
        self.messages.append(body)
        return Response(204, "")
