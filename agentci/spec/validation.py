"""Checks a parsed document against a pydantic model.

Every problem is reported at once, each at its line and column, in the words of
`agentci.spec.wording`, which is loaded only where there are some. Knows no particular model.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from agentci.core.errors import SpecError

if TYPE_CHECKING:
    from agentci.spec.explanation import ExplainUnion
    from agentci.spec.yaml_document import Document

AnyModel = TypeVar("AnyModel", bound=BaseModel)


def validate(
    document: Document, model: type[AnyModel], *, explain_union: ExplainUnion | None = None
) -> AnyModel:
    """Return `document` as a `model`.

    Raises:
        SpecError: with every problem, in the order of the text.
    """
    try:
        return model.model_validate_json(json.dumps(document.value, ensure_ascii=False))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    from agentci.spec.wording import Wording  # noqa: PLC0415 - only where something is wrong

    raise SpecError(Wording(document, model, explain_union).problems(found)) from None
