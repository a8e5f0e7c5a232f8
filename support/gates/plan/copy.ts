import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OperatorError } from '../../failure';
import { factoryHome } from '../../paths';

/** A copy of a shared root module with a change in it. */
export interface RootCopy {
  folder: string;
  root: string;
  remove: () => Promise<void>;
}

/** A copy of a shared root module whose list of applications lacks an app. @throws OperatorError when it never had it. */
export function withoutApp(root: string, app: string): RootCopy {
  const folder = mkdtempSync(join(tmpdir(), 'gate-copy-'));
  cpSync(join(factoryHome, root, 'iac'), folder, { recursive: true });
  const file = join(folder, 'terraform.tfvars');
  const text = readFileSync(file, 'utf8');
  const without = text.replace(new RegExp(`^.*name = "${app}".*\\n`, 'm'), '');
  const remove = (): Promise<void> => Promise.resolve(rmSync(folder, { recursive: true, force: true }));
  if (without === text) {
    throw new OperatorError({
      attempted: `take ${app} out of ${root}/iac`,
      where: 'terraform.tfvars',
      expected: `{ name = "${app}" }`,
      seen: 'no such line',
      next: 'name an app of the factory in the feature.',
    });
  }
  writeFileSync(file, without);
  return { folder, root, remove };
}
