"""IAM policies are held against their grammar."""

from __future__ import annotations

from typing import Any

import pytest

from agentci.deploy.embedded.finding import shown
from agentci.deploy.embedded.policy import PolicyKind, check_policy

ALLOW: dict[str, Any] = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
TRUST: dict[str, Any] = {
    "Effect": "Allow",
    "Action": "sts:AssumeRole",
    "Principal": {"Service": "ecs-tasks.amazonaws.com"},
}
CONDITION = {
    "StringEquals": {"aws:SourceAccount": "1"},
    "ArnLikeIfExists": {"aws:SourceArn": "x"},
    "ForAllValues:StringLike": {"x": ["y"]},
    "NumericLessThanEquals": {"x": "1"},
    "DateGreaterThan": {"x": "y"},
    "Bool": {"aws:SecureTransport": "true"},
}


def policy(*statements: object, **changes: object) -> dict[str, Any]:
    """Return a policy."""
    return {"Version": "2012-10-17", "Statement": list(statements), **changes}


def told(value: object, kind: PolicyKind = "identity") -> list[tuple[str, str]]:
    """Return where and what is wrong."""
    return [(shown(each.path), each.message) for each in check_policy(value, kind)]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (policy(ALLOW), "identity"),
        ({"Version": "2012-10-17", "Statement": ALLOW}, "identity"),
        (policy({**ALLOW, "Action": "*", "Sid": "All9"}, Id="x"), "identity"),
        (policy({**ALLOW, "Action": ["s3:*", "dynamodb:Get?tem"]}), "identity"),
        (policy({**ALLOW, "Condition": CONDITION}), "identity"),
        (policy({"Effect": "Deny", "NotAction": "iam:*", "NotResource": ["a"]}), "identity"),
        (policy(TRUST), "trust"),
        (policy({**TRUST, "Action": ["sts:AssumeRole", "sts:TagSession"]}), "trust"),
        (policy({**ALLOW, "Principal": "*", "Sid": "with blanks"}), "resource"),
        (policy({**ALLOW, "Principal": {"AWS": ["1", "2"]}}), "resource"),
        (policy({"Effect": "Allow", "Action": "ecr:Pull", "Principal": "*"}), "resource"),
    ],
)
def test_a_good_policy_has_no_mistake(value: object, kind: PolicyKind) -> None:
    assert told(value, kind) == []


@pytest.mark.parametrize(
    ("value", "kind", "place", "words"),
    [
        ([], "identity", "", "a list where a policy"),
        (policy(), "identity", "Statement", "has statements"),
        (policy(ALLOW, Version="2012-10-18"), "identity", "Version", "no version"),
        ({"Statement": ALLOW}, "identity", "Version", "`Version` is missing"),
        (policy(ALLOW, Statements=[]), "identity", "Statements", "no `Statements`"),
        (policy("x"), "identity", "Statement[0]", "a text where a statement"),
        (policy({**ALLOW, "Effect": "allow"}), "identity", "Statement[0].Effect", "`Allow`"),
        (policy({**ALLOW, "Actions": "x"}), "identity", "Statement[0].Actions", "no `Actions`"),
        (policy({**ALLOW, "Action": "s3"}), "identity", "Statement[0].Action", "`s3` is no action"),
        (policy({**ALLOW, "Action": [1]}), "identity", "Statement[0].Action", "is no action"),
        (policy({**ALLOW, "NotAction": "s3:*"}), "identity", "Statement[0]", "either `Action`"),
        (policy({"Effect": "Allow", "Resource": "*"}), "identity", "Statement[0]", "either"),
        (policy({"Effect": "Allow", "Action": "*"}), "identity", "Statement[0]", "`Resource`"),
        (policy({**ALLOW, "Resource": [""]}), "identity", "Statement[0].Resource", "an ARN"),
        (policy({**ALLOW, "Principal": "*"}), "identity", "Statement[0].Principal", "of a role"),
        (policy({**TRUST, "Resource": "*"}), "trust", "Statement[0].Resource", "of trust"),
        (policy(ALLOW), "resource", "Statement[0]", "either `Principal`"),
        (policy({**TRUST, "Principal": {"Services": "x"}}), "trust",
         "Statement[0].Principal.Services", "no `Services`"),
        (policy({**TRUST, "Principal": "ecs"}), "trust", "Statement[0].Principal", "it is `*`"),
        (policy({**ALLOW, "Sid": "a b"}), "identity", "Statement[0].Sid", "letters and digits"),
        (policy({**ALLOW, "Condition": {"StringEqual": {}}}), "identity",
         "Statement[0].Condition.StringEqual", "no operator"),
        (policy({**ALLOW, "Condition": {"Bool": "x"}}), "identity",
         "Statement[0].Condition.Bool", "keys and their values"),
        (policy({**ALLOW, "Condition": "x"}), "identity", "Statement[0].Condition", "an object"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(
    value: object, kind: PolicyKind, place: str, words: str
) -> None:
    ((found, message),) = told(value, kind)
    assert found == place
    assert words in message
