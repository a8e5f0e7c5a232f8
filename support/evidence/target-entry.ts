import { reason } from '../failure';
import { selectTarget } from '../target';
import type { Entry } from './ledger';

/** The target of this run as an entry names it, with how real its parts are. Never throws. */
export async function targetEntry(): Promise<NonNullable<Entry['target']>> {
  const target = selectTarget();
  const identity = target.identity();
  const parts = await target.parts().catch((thrown: unknown) => reason(thrown));
  return {
    name: target.name,
    ...(identity === undefined ? {} : { identity }),
    ...(typeof parts === 'string' ? { parts: [], unknown: parts } : { parts }),
  };
}
