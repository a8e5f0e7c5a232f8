import { deepEqual, equal } from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { drills } from '../../drills/registry';
import { projectRoot } from '../../support/paths';

const folder = join(projectRoot, 'features', 'drills');
const features = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8').split('\n'));

for (const { id, capabilities } of drills) {
  void it(`the scenario of ${id} says what a target must be able to do, so that others skip it and say why`, () => {
    const of = features.flatMap((lines) =>
      lines
        .filter((line) => line.trim().split(' ').includes(`@drill:${id}`))
        .map((line) => `${lines[0] ?? ''} ${line}`),
    );
    equal(of.length, 1);
    const said = [...(of[0] ?? '').matchAll(/@capability:([\w-]+)/g)].map((match) => match[1]);
    deepEqual(said.sort(), [...capabilities].sort());
  });
}
