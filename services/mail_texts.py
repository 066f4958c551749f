"""What mails say, in English and Chinese."""

from collections.abc import Sequence
from datetime import datetime

from services.approvals import Change

CHANGES_SHOWN = 20
SUBJECT = "Onhand: a code to grant {act} / 批准 {act} 的验证码"
CODE = """\
{code}

With this code you grant, until {until} UTC, what {asker} asked for:
用此验证码可批准 {asker} 提出的以下申请，有效期至 {until}（UTC）：

  {act}: {target}
{changes}

If you did not ask for this mail, use the code nowhere and tell the owner of the shop.
如果不是您本人操作，请勿使用此验证码，并告知店铺所有者。
"""


def code_text(
    act: str,
    target: str,
    changes: Sequence[Change],
    asker: str,
    code: str,
    until: datetime,
) -> tuple[str, str]:
    """Subject and text. In the subject is nothing that somebody typed."""
    lines = [line(f"{one.name}: {one.before or '-'} -> {one.after or '-'}") for one in changes]
    left = len(lines) - CHANGES_SHOWN
    shown = lines[:CHANGES_SHOWN] + ([f"  ... +{left}"] if left > 0 else [])
    text = CODE.format(
        code=code,
        until=f"{until:%Y-%m-%d %H:%M}",
        asker=one_line(asker),
        act=act,
        target=one_line(target),
        changes="\n".join(shown),
    )
    return SUBJECT.format(act=act), text


def line(text: str) -> str:
    return f"  {one_line(text)}"


def one_line(text: str) -> str:
    """Nothing that somebody typed makes lines of its own."""
    return " ".join(text.split())
