"""What is told to the outside: failures and better models, posted to a webhook of the user's.

Set it once: `prefect variable set manywalks_webhook https://…`. It gets a JSON object with `text` (Slack,
Teams and Mattermost show it), `event`, and what it is about.
"""

import logging
from typing import Any

import httpx
from prefect.variables import Variable

VARIABLE = "manywalks_webhook"
TIMEOUT_S = 10
logger = logging.getLogger(__name__)


def on_failure(flow: Any, flow_run: Any, state: Any) -> None:
    """Prefect's hook of a flow that failed or crashed; one inside another leaves it to that one to tell."""
    if flow_run.parent_task_run_id is not None:
        return
    post(
        "failure",
        f"manywalks: {flow.name} {flow_run.name}: {state.name}: {state.message}",
        {"flow": flow.name, "run": flow_run.name, "state": state.name, "message": state.message},
    )


def on_better(found: dict[str, Any]) -> None:
    """A challenger was promoted."""
    text = f"manywalks: {found['challenger']} is the new champion ({found['reason']})"
    for one in found.get("churn", {}).values():
        text += " " + " ".join(one["sentences"][:2])
    post("better model", text, found)


def post(event: str, text: str, about: dict[str, Any]) -> bool:
    """Post to the webhook where one is set; a webhook that fails is logged and never fails a run."""
    url = Variable.get(VARIABLE, default=None)
    if not url:
        return False
    try:
        answer = httpx.post(str(url), json={"event": event, "text": text, "about": about}, timeout=TIMEOUT_S)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        logger.warning("webhook %s: %s", url, error)
        return False
    return True
