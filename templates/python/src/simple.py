from hatchet_sdk import Context, Hatchet
from pydantic import BaseModel, Field

# Finds its engine by itself: `hatchet dev` passes the address and the token to the worker.
hatchet = Hatchet()


class SimpleInput(BaseModel):
    message: str = Field(examples=["Hello, World"])


class SimpleOutput(BaseModel):
    message: str


@hatchet.task(name="simple", input_validator=SimpleInput, retries=3)
def simple(input: SimpleInput, ctx: Context) -> SimpleOutput:
    ctx.log(f"lowering {input.message}")
    return SimpleOutput(message=input.message.lower())
