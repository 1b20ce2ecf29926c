"""State, its constraints, and the rules that concern one row."""

from accounts.models.attempt_budget import AttemptBudget, AttemptPurpose
from accounts.models.code import Code, Purpose
from accounts.models.former_password import FormerPassword
from accounts.models.hash_kind import FormerHashKind
from accounts.models.heartbeat import Heartbeat
from accounts.models.imported_account import ImportedAccount, ReservedIds
from accounts.models.message import Channel, Kind, Message, State
from accounts.models.role import ADMINISTRATORS, Role
from accounts.models.second_factor import FactorType, RecoveryCode, SecondFactor, SpentChallenge
from accounts.models.session import EndReason, Session
from accounts.models.signing_key import SigningKey
from accounts.models.user import User
from audit.people import AUDITORS, OFFICERS, SECURITY_OFFICERS, SYSTEM_ADMINISTRATORS

__all__ = [
    "ADMINISTRATORS",
    "AUDITORS",
    "OFFICERS",
    "SECURITY_OFFICERS",
    "SYSTEM_ADMINISTRATORS",
    "AttemptBudget",
    "AttemptPurpose",
    "Channel",
    "Code",
    "EndReason",
    "FactorType",
    "FormerHashKind",
    "FormerPassword",
    "Heartbeat",
    "ImportedAccount",
    "Kind",
    "Message",
    "Purpose",
    "RecoveryCode",
    "ReservedIds",
    "Role",
    "SecondFactor",
    "Session",
    "SigningKey",
    "SpentChallenge",
    "State",
    "User",
]
