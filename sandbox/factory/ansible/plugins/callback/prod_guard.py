"""Aborts every play on an inventory that holds a production address, on every host, before its first task.

Works for any playbook and any strategy: Ansible loads callback plugins from ANSIBLE_CALLBACK_PLUGINS without a change
to the playbook or its ansible.cfg. `-e i_mean_prod=true` on the command line, and only there, lifts it: a variable in
an inventory would lift it for ever.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import sys

from ansible.errors import AnsibleError
from ansible.executor.task_executor import TaskExecutor
from ansible.plugins.callback import CallbackBase
from ansible.template import Templar
from ansible.utils.vars import load_extra_vars

DOCUMENTATION = """
    name: prod_guard
    type: aggregate
    short_description: aborts plays on production
    description: Aborts every play whose inventory holds a production address, unless i_mean_prod=true is given with -e.
"""

# The same facts as support/isolation/policy.ts, which a test compares with these.
PRODUCTION_FIRST = ipaddress.IPv4Address('192.168.1.201')
PRODUCTION_LAST = ipaddress.IPv4Address('192.168.1.203')
PRODUCTION_DOMAIN = 'arcodange.fr'
EXIT_CODE = 3

ADDRESS_LIKE = re.compile(r'(?<![\w.-])(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}(?![\w-]|\.\w)', re.IGNORECASE)
IPV6_LIKE = re.compile(r'(?<![\w:])[0-9a-f]*:[0-9a-f:]*:[0-9a-f.:]*', re.IGNORECASE)
CONNECTION_VARIABLES = re.compile(r'^ansible_(\w+_)?(host|(common_|extra_)?args|proxy|proxy_command|jump_host)$')


def is_production(value: int) -> bool:
    return int(PRODUCTION_FIRST) <= value <= int(PRODUCTION_LAST)


def ipv4_readings(text: str) -> set[int]:
    """What clients make of a number-dotted text: as inet_aton(3), and with leading zeros taken as decimal."""
    readings = set()
    try:
        readings.add(int.from_bytes(socket.inet_aton(text), 'big'))
    except OSError:
        pass
    try:
        readings.add(int(ipaddress.IPv4Address('.'.join(part.lstrip('0') or '0' for part in text.split('.')))))
    except ValueError:
        pass
    return readings


def production_in_text(text: str) -> str | None:
    """The first production address mentioned in a text, in the spelling found there."""
    plain = text.translate(str.maketrans('０１２３４５６７８９．。｡', '0123456789...'))
    for found in ADDRESS_LIKE.findall(plain):
        if any(is_production(value) for value in ipv4_readings(found)):
            return found
    for found in IPV6_LIKE.findall(plain):
        try:
            packed = ipaddress.IPv6Address(found.rstrip('.')).packed
        except ValueError:
            continue
        if any(is_production(int.from_bytes(packed[at:at + 4], 'big')) for at in range(13)):
            return found
    return None


def why_refused(host: str) -> str | None:
    """Why a connection to this host is refused; None when it is not production."""
    plain = host.strip().strip('[]').rstrip('.').lower()
    found = production_in_text(plain)
    if found is not None:
        return f'{found} is a production machine'
    if plain == PRODUCTION_DOMAIN or plain.endswith('.' + PRODUCTION_DOMAIN):
        return f'{plain} is a production name'
    if not re.search(r'[a-z]', plain) or ':' in plain:
        return None
    try:
        answers = {entry[4][0] for entry in socket.getaddrinfo(plain, None)}
    except OSError:
        return None  # A name that does not resolve cannot be connected to either.
    for answer in sorted(answers):
        if production_in_text(answer.split('%')[0]):
            return f'{plain} resolves to {answer}, a production machine'
    return None


def strings_of(value, path=''):
    """Every string in a variable with the path that leads to it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        yield path, str(value)
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from strings_of(below, f'{path}.{key}' if path else str(key))
    elif isinstance(value, (list, tuple)):
        for below in value:
            yield from strings_of(below, path)


def means_production(loader) -> bool:
    """True only for i_mean_prod=true among the extra variables of the command line."""
    return str(load_extra_vars(loader).get('i_mean_prod', '')).lower() == 'true'


def guard_connections() -> None:
    """Hosts that are in no inventory (delegate_to, add_host) are refused when their connection is set up.

    Workers are forked from this process and inherit it.
    """
    original = TaskExecutor._set_connection_options

    def guarded(self, variables, templar):
        result = original(self, variables, templar)
        if not means_production(self._loader):
            for option in ('host', 'remote_addr', 'ssh_common_args', 'ssh_extra_args', 'ssh_args', 'proxy_command'):
                try:
                    value = self._connection.get_option(option)
                except (KeyError, AnsibleError):
                    continue
                refusal = why_refused(value) if option in ('host', 'remote_addr') and isinstance(value, str) else None
                if refusal is None and isinstance(value, str) and production_in_text(value):
                    refusal = f'{option} leads through {production_in_text(value)}, a production machine'
                if refusal is not None:
                    raise AnsibleError(f'prod_guard refuses this connection: {refusal}. Pass -e i_mean_prod=true only if you mean production.')
        return result

    if not getattr(original, 'guards_production', False):
        guarded.guards_production = True
        TaskExecutor._set_connection_options = guarded


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = 'aggregate'
    CALLBACK_NAME = 'prod_guard'
    CALLBACK_NEEDS_ENABLED = False

    def __init__(self):
        super().__init__()
        guard_connections()

    def v2_playbook_on_play_start(self, play):
        manager = play.get_variable_manager()
        if means_production(manager._loader):
            self._display.warning('prod_guard is lifted: i_mean_prod=true was given on the command line.')
            return
        try:
            refusals = self.refusals(play, manager)
        except Exception as error:  # Ansible turns what a callback throws into a warning and goes on; a guard must not.
            refusals = {'inventory': f'it cannot be judged ({error})'}
        if not refusals:
            return
        # The whole inventory, not this play's hosts alone: every host is stopped, and nothing has been sent.
        for host in manager._inventory.get_hosts(ignore_limits=True, ignore_restrictions=True):
            self._display.display(f'fatal: [{host.name}]: ABORTED before its first task by prod_guard', color='red', stderr=True)
        for place, refusal in refusals.items():
            self._display.display(f'prod_guard: {place}: {refusal}', color='red', stderr=True)
        self._display.display(
            'Could not start the play: its inventory holds production. Next: use the sandbox inventory '
            '(sandbox/inventory/sandbox/hosts.yml), or pass -e i_mean_prod=true if you mean production.',
            color='red', stderr=True,
        )
        sys.stdout.flush()
        sys.stderr.flush()
        sys.exit(EXIT_CODE)  # SystemExit: what is no Exception ends the run from within a callback.

    def refusals(self, play, manager) -> dict[str, str]:
        found = {}
        for host in manager._inventory.get_hosts(ignore_limits=True, ignore_restrictions=True):
            variables = manager.get_vars(play=play, host=host, include_hostvars=False)
            templar = Templar(loader=manager._loader, variables=variables)
            for path, text in [('name', host.name), *strings_of(variables)]:
                place = f'{host.name}, {path}'
                if path.split('.')[0] in ('hostvars', 'vars', 'groups', 'ansible_play_hosts_all'):
                    continue
                mentioned = production_in_text(text)
                if mentioned:
                    found[place] = f'{mentioned} is a production machine'
                elif CONNECTION_VARIABLES.match(path):
                    meant = str(templar.template(text))
                    refusal = why_refused(meant) if path.endswith('host') else None
                    mentioned = production_in_text(meant)
                    if refusal or mentioned:
                        found[place] = refusal or f'it leads through {mentioned}, a production machine'
            if 'ansible_host' not in variables and variables.get('ansible_connection') != 'local':
                refusal = why_refused(host.name)
                if refusal:
                    found[host.name] = refusal
        return found
