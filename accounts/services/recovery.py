"""How somebody who has lost their password gets a new one: a code, to the address or number that the account has."""

from accounts.errors import InvalidCode, InvalidCredentials
from accounts.messaging import outbox
from accounts.models import Channel, Kind, Purpose, User
from accounts.policies import profile
from accounts.security import lockout
from accounts.security.codes import Target
from accounts.services import codes, passwords
from accounts.services.addresses import address_of, canonical_contact
from accounts.services.identifiers import Identifier, user
from audit.events import Event
from audit.origin import Origin
