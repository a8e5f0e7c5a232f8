import axios from 'axios';
import { z } from 'zod';
import type { Rig } from './rig';

const leaseShape = z.object({ lease_id: z.string(), data: z.object({ username: z.string(), password: z.string() }) });
const loginShape = z.object({ auth: z.object({ client_token: z.string(), policies: z.array(z.string()) }) });

/** Asks the rig's Vault. @returns the answer's body, and its status also when it refuses. */
export async function vault(
  rig: Rig,
  method: 'GET' | 'PUT' | 'DELETE' | 'LIST',
  path: string,
  body?: unknown,
  token = rig.servers.vault.token,
): Promise<{ status: number; body: unknown }> {
  const answer = await axios.request({
    method,
    url: `${rig.servers.vault.address}/v1/${path}`,
    data: body,
    headers: { 'X-Vault-Token': token },
    validateStatus: () => true,
  });
  return { status: answer.status, body: answer.data };
}

/** Leases a user of an instance's database. */
export async function lease(rig: Rig, instance: string): Promise<{ id: string; username: string; password: string }> {
  const { lease_id: id, data } = leaseShape.parse((await vault(rig, 'GET', `postgres/creds/${instance}`)).body);
  return { id, ...data };
}

/** Ends a lease and waits until its user is gone. */
export async function revoke(rig: Rig, id: string): Promise<number> {
  return (await vault(rig, 'PUT', 'sys/leases/revoke', { lease_id: id, sync: true })).status;
}

/** Logs in as the CI of a repository. @returns token and policies, or the status of the refusal. */
export async function loginAsCi(
  rig: Rig,
  role: string,
  jwt: string,
): Promise<{ token: string; policies: string[] } | number> {
  const { status, body } = await vault(rig, 'PUT', 'auth/gitea_jwt/login', { role, jwt });
  if (status !== 200) return status;
  const { auth } = loginShape.parse(body);
  return { token: auth.client_token, policies: [...auth.policies].sort() };
}
