/** What `k3d cluster list sandbox -o json` prints, written from k3d v5's documented format; not recorded from a running k3d. */
export const clusterList = JSON.stringify([
  {
    name: 'sandbox',
    network: { name: 'sandbox' },
    serversCount: 1,
    serversRunning: 1,
    agentsCount: 0,
    agentsRunning: 0,
    hasLoadbalancer: true,
    nodes: [
      {
        name: 'k3d-sandbox-serverlb',
        role: 'loadbalancer',
        image: 'ghcr.io/k3d-io/k3d-proxy:5.8.3',
        State: { Running: true, Status: 'running' },
      },
      {
        name: 'k3d-sandbox-server-0',
        role: 'server',
        image: 'docker.io/rancher/k3s:v1.34.3-k3s1',
        State: { Running: true, Status: 'running' },
      },
    ],
  },
]);

/** What `docker inspect sandbox-postgres sandbox-gitea` prints, written from Docker's documented format (Engine API v1.47). */
export function containerInspect(of: { postgresRunning: boolean; giteaAddress: string }): string {
  const container = (name: string, image: string, running: boolean, address: string): object => ({
    Id: '4c01db0b339c',
    Name: `/${name}`,
    State: { Status: running ? 'running' : 'exited', Running: running },
    Config: { Image: image },
    NetworkSettings: { Networks: { sandbox: { NetworkID: '7ea29fc1412292a2', IPAddress: running ? address : '' } } },
  });
  return JSON.stringify([
    container('sandbox-postgres', 'postgres:15', of.postgresRunning, '127.0.30.4'),
    container('sandbox-gitea', 'gitea/gitea:1.25.2', true, of.giteaAddress),
  ]);
}
