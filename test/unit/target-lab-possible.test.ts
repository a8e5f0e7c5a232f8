import { doesNotThrow, throws } from 'node:assert/strict';
import { it } from 'node:test';
import { assertLabPossible } from '../../support/target/lab-possible';

it('the lab is possible for root on Linux', () => doesNotThrow(() => assertLabPossible({ platform: 'linux', uid: 0 })));

for (const [where, host] of [
  ['on macOS', { platform: 'darwin', uid: 501 }],
  ['without root', { platform: 'linux', uid: 1000 }],
] as const) {
  it(`${where} the two ways on are named in one sentence`, () => {
    throws(() => assertLabPossible(host), /Linux machine.*TARGET=vms or TARGET=k3d/s);
  });
}
