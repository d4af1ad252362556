from hatchet_sdk import Context, Hatchet
from pydantic import BaseModel

# Finds its engine by itself: `hatchet dev` passes the address and the token to the worker.
hatchet = Hatchet()


class SimpleInput(BaseModel):
    message: str


@hatchet.task(name="simple", input_validator=SimpleInput, retries=3)
def simple(input: SimpleInput, ctx: Context) -> dict[str, str]:
    ctx.log(f"lowering {input.message}")
    return {"message": input.message.lower()}
