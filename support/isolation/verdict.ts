import { OperatorError } from '../failure';

/**
 * Why something was refused.
 * - `production-address`: an address of the production machines, in whatever spelling
 * - `production-name`: the production domain or a name below it
 * - `resolves-to-refused`: a permitted name whose look-up answered with a refused address
 * - `outside`: neither production nor the target's own
 * - `unreadable`: no client would agree with another about what it means
 * - `wrong-scope`: the lab's own, but not the part the caller is confined to
 * - `real-secret`: a credential that does not belong to the sandbox
 */
export type RefusalKind =
  | 'production-address'
  | 'production-name'
  | 'resolves-to-refused'
  | 'outside'
  | 'unreadable'
  | 'wrong-scope'
  | 'real-secret';

export interface Allowed {
  allowed: true;
  /** What was judged, safe to print. */
  subject: string;
  reason: string;
}

export interface Refused {
  allowed: false;
  subject: string;
  kind: RefusalKind;
  /** A clause that completes "refused because ...". */
  reason: string;
}

/** The boundary's answer about one address, document, command or environment. */
export type Verdict = Allowed | Refused;

export function allowed(subject: string, reason: string): Allowed {
  return { allowed: true, subject, reason };
}

export function refused(subject: string, kind: RefusalKind, reason: string): Refused {
  return { allowed: false, subject, kind, reason };
}

const gravity: readonly RefusalKind[] = [
  'production-address',
  'production-name',
  'resolves-to-refused',
  'real-secret',
  'wrong-scope',
  'outside',
  'unreadable',
];

/**
 * One verdict out of several: the gravest refusal decides, so that production is never reported as merely "outside".
 * @param reasonWhenAllowed used when nothing is refused, also for an empty list.
 */
export function gravest(subject: string, verdicts: readonly Verdict[], reasonWhenAllowed: string): Verdict {
  const refusals = verdicts.filter((verdict): verdict is Refused => !verdict.allowed);
  const worst = refusals.sort((a, b) => gravity.indexOf(a.kind) - gravity.indexOf(b.kind))[0];
  return worst === undefined ? allowed(subject, reasonWhenAllowed) : worst;
}

/** A verdict found inside something larger: says where it was found. */
export function within<V extends Verdict>(place: string, verdict: V): V {
  return verdict.allowed ? verdict : { ...verdict, subject: `${place}: ${verdict.subject}` };
}

const nextStep: Record<RefusalKind, string> = {
  'production-address':
    'use an address of the sandbox; `npm run lab -- status` lists them. Production is never reached from here.',
  'production-name':
    'use a name of the sandbox; `npm run lab -- status` lists them. Production is never reached from here.',
  'resolves-to-refused':
    'correct what answers for this name (/etc/hosts or the DNS server), or use the address from the inventory.',
  outside: 'use an address of the sandbox, or correct the inventory when the target really lies there.',
  unreadable: 'write the address in its plain form, for example 10.77.0.201 or http://10.77.0.201:8080.',
  'wrong-scope': 'use a host named erp-sandbox.*; the production instance is not for this command.',
  'real-secret':
    'unset that variable, or start again from a clean shell: `env -i HOME="$HOME" PATH="$PATH" npm run suite`.',
};

/** The exit code of a refusal: 3, as in `npm run guard`. */
export const refusalExitCode = 3;

/** Thrown when the boundary refuses. `code` lets a socket's error handler tell it from a network failure. */
export class RefusedByBoundary extends OperatorError {
  readonly code = 'ERR_SANDBOX_BOUNDARY';
  readonly verdict: Refused;
  constructor(verdict: Refused, act = 'use') {
    super({
      attempted: `${act} ${verdict.subject}`,
      seen: `the isolation boundary refuses it (${verdict.kind}): ${verdict.reason}`,
      next: nextStep[verdict.kind],
      exitCode: refusalExitCode,
    });
    this.name = 'RefusedByBoundary';
    this.verdict = verdict;
  }
}
