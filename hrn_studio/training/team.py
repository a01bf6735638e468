"""Where a network is trained: on which device, alone or by several processes together."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from hrn_studio.errors import UsageError


def check_device(device: str) -> None:
    """Raises ``UsageError`` when the device is not there."""
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            "there is no CUDA device that PyTorch can use; leave --device out or give 'cpu', and "
            "see 'hrn-studio doctor'"
        )


@dataclass(frozen=True, slots=True)
class Team:
    """The processes that ``torchrun`` started to train one network; alone without it."""

    rank: int = 0
    size: int = 1

    @classmethod
    def join(cls, device: torch.device) -> Team:
        """Meet the others, when there are any."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        if not torch.distributed.is_initialized():
            torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        if device.type == "cuda":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        return cls(torch.distributed.get_rank(), size)

    def agree(self, values: Iterable[Tensor]) -> None:
        """Give all the first one's values: each may have seen other pictures."""
        if self.size == 1:
            return
        for value in values:
            torch.distributed.broadcast(value.data, 0)

    def share(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Average the gradients of all, so that every process takes the same step."""
        if self.size == 1:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                torch.distributed.all_reduce(parameter.grad)
                parameter.grad /= self.size
