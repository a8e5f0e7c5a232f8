/** What a starting file is written with. */
export interface Starting {
  /** Names of the machines, the first with the API server, the second with Postgres and Gitea. */
  machines: readonly string[];
  network: string;
  /** Address of each machine, where it is known. */
  addresses: readonly string[];
  operator: string;
}

/** Where multipass puts its machines on macOS; k3d uses a network that is made for it. */
export const startingVms: Starting = {
  machines: ['pi1', 'pi2', 'pi3'],
  network: '192.168.64.0/24',
  addresses: ['192.168.64.11', '192.168.64.12', '192.168.64.13'],
  operator: '192.168.64.1',
};

export const startingK3d: Starting = {
  machines: ['k3d-sandbox-server-0'],
  network: '172.30.0.0/24',
  addresses: ['172.30.0.3'],
  operator: '172.30.0.1',
};

/** Keys that both targets have, with their meaning. */
function common({ network, operator }: Starting, at: { kubernetes: string; outside: string; context: string }): string {
  return `# Networks of the sandbox, and of nothing else: whatever lies outside of them cannot be reached from here.
network:
  machines: ${network}
  pods: 10.42.0.0/16          # k3s --cluster-cidr
  services: 10.43.0.0/16      # k3s --service-cidr
  dns: 10.43.0.10             # k3s --cluster-dns
  # name_server: ${at.outside}  # who answers for the domain outside of the cluster, where it is not the cluster's DNS
  operator: ${operator}       # this machine, in the network of the machines
  domain: arcodange.lab

# An Ansible inventory in YAML. The variables the suite needs are laid over it from this file.
inventory: sandbox.inventory.yaml

kubernetes:
  kubeconfig: ~/.arcodange/sandbox/kubeconfig   # only the sandbox's cluster in it
  context: ${at.context}                        # must be its current context
  # A context named like production is refused unless the cluster is proved to be the sandbox's:
  # kubectl get namespace kube-system -o jsonpath={.metadata.uid}
  # cluster_uid: 00000000-0000-0000-0000-000000000000

vault:
  address: http://${at.kubernetes}:30820
  keys: ~/.arcodange/sandbox/cluster-keys.json  # what \`vault operator init -format=json\` printed

postgres:
  address: ${at.outside}:5432
  pgbouncer: ${at.outside}:6432
  credentials: ~/.arcodange/sandbox/postgres-admin.json  # {"username": ..., "password": ...} of a superuser

gitea:
  address: http://${at.outside}:3000
  credentials: ~/.arcodange/sandbox/gitea-admin.json     # {"username": ..., "password": ..., "token": ...}
  organisation: arcodange-org

argocd:
  address: http://${at.kubernetes}:30880

bucket:
  address: http://${at.outside}:4443            # Google Cloud Storage's API
  states: sandbox-tofu-state
  backups: sandbox-backups

# ca: { address: "https://${at.kubernetes}:9000", certificate: ~/.arcodange/sandbox/pki/root_ca.crt }
# ingress: { address: "https://${at.kubernetes}" }
# registry: { address: "http://${at.outside}:5000" }     # where it is not Gitea's
# endpoints: { erp: "http://erp-sandbox.arcodange.lab" } # others, by the name a feature asks for
# ci_key: ~/.arcodange/sandbox/ci-jwt.key       # where the sandbox signs CI tokens itself
secrets: ~/.arcodange/sandbox                   # folder (0700) with the sandbox's other secrets

# factory: ../factory                           # your factory repository instead of the reference one
# runbook: ../factory/CLUSTER_RECOVERY.md       # your runbook instead of drills/CLUSTER_RECOVERY.md
# deviations: deviations.yml                    # where this sandbox is known to differ from production
`;
}

/** A commented starting file for target vms. */
export function vmsTemplate(start: Starting = startingVms): string {
  const [first = '', second = ''] = start.addresses;
  return `# The operator's own sandbox on three machines: TARGET=vms. Check it with \`TARGET=vms npm run target -- check\`.
target: vms

${common(start, { kubernetes: first, outside: second, context: 'sandbox' })}
ssh:
  user: ubuntu                # a user that is not root needs sudo without a password
  key: ~/.arcodange/sandbox/ssh/id_ed25519
  known_hosts: ~/.arcodange/sandbox/ssh/known_hosts

# Run without a shell; {machine} is the machine's name. \`cut\` pulls the plug. Without them, what needs them is skipped.
power:
  on: multipass start {machine}
  off: multipass stop {machine}
  cut: multipass stop --force {machine}
  seconds: 300                # how long a machine may take until it answers, or falls silent
  # Vagrant: vagrant up --no-provision {machine} / vagrant halt {machine} / vagrant halt -f {machine}
  # libvirt: virsh start {machine} / virsh shutdown {machine} / virsh destroy {machine}
`;
}

/** A commented starting file for target k3d. */
export function k3dTemplate(start: Starting = startingK3d): string {
  return `# The fast inner loop on one node: TARGET=k3d. Check it with \`TARGET=k3d npm run target -- check\`.
target: k3d

${common(start, { kubernetes: '127.0.0.1', outside: '127.0.0.1', context: 'k3d-sandbox' })}
k3d:
  cluster: sandbox
  containers:                 # what stands outside of the cluster
    postgres: sandbox-postgres
    gitea: sandbox-gitea
`;
}

/** An inventory of the machines, in the groups that the factory's playbooks use. */
export function inventoryTemplate(start: Starting): string {
  const [server = '', outside = server, ...others] = start.machines;
  const host = (name: string): string =>
    `            ${name}: { ansible_host: ${start.addresses[start.machines.indexOf(name)] ?? ''} }`;
  const agents = [outside, ...others].filter((name) => name !== server);
  return `# Addresses as \`multipass list\`, \`vagrant ssh-config\` or \`docker inspect\` print them.
all:
  children:
    cluster:
      children:
        k3s_server:
          hosts:
${host(server)}
${agents.length === 0 ? '' : `        k3s_agents:\n          hosts:\n${agents.map(host).join('\n')}\n`}    postgres:
      hosts: { ${outside}: }
    gitea:
      hosts: { ${outside}: }
`;
}

/** Commands that make the machines. Nothing of it is run: they are the operator's. */
export const vmsCommands = `Three arm64 machines with multipass (brew install multipass):
  mkdir -p -m 700 ~/.arcodange/sandbox ~/.arcodange/sandbox/ssh
  ssh-keygen -t ed25519 -N '' -f ~/.arcodange/sandbox/ssh/id_ed25519
  printf '#cloud-config\\nssh_authorized_keys: ["%s"]\\n' "$(cat ~/.arcodange/sandbox/ssh/id_ed25519.pub)" > cloud.yaml
  for machine in pi1 pi2 pi3; do
    multipass launch 24.04 --name $machine --cpus 2 --memory 4G --disk 30G --cloud-init cloud.yaml
    multipass exec $machine -- sudo ip route add prohibit 192.168.1.200/30   # production, whatever the network
  done
  multipass list                       # their addresses, for sandbox.inventory.yaml
  ssh-keyscan -t ed25519 ADDRESS... > ~/.arcodange/sandbox/ssh/known_hosts

The same with Vagrant: a Vagrantfile with three \`config.vm.define\` of an arm64 box, then
  vagrant up && vagrant ssh-config

Then k3s, as production has it:
  multipass exec pi1 -- sh -c 'curl -sfL https://get.k3s.io | INSTALL_K3S_VERSION=v1.34.3+k3s1 sh -s - server'
  # pi2 and pi3: K3S_URL=https://ADDRESS-OF-PI1:6443 K3S_TOKEN=... with the same version
  # kubeconfig: /etc/rancher/k3s/k3s.yaml of pi1, with its address instead of 127.0.0.1 and context "sandbox"
and your factory repository's playbooks with this inventory.`;

export const k3dCommands = `One k3s node, and Postgres and Gitea beside it:
  mkdir -p -m 700 ~/.arcodange/sandbox
  docker network create --subnet 172.30.0.0/24 sandbox
  k3d cluster create sandbox --image rancher/k3s:v1.34.3-k3s1 --network sandbox --api-port 127.0.0.1:6550 \\
    -p 127.0.0.1:30820:30820@server:0 -p 127.0.0.1:30880:30880@server:0 --kubeconfig-update-default=false
  k3d kubeconfig get sandbox > ~/.arcodange/sandbox/kubeconfig && chmod 600 ~/.arcodange/sandbox/kubeconfig
  docker run -d --name sandbox-postgres --network sandbox -p 127.0.0.1:5432:5432 -e POSTGRES_PASSWORD_FILE=... postgres:15
  docker run -d --name sandbox-gitea --network sandbox -p 127.0.0.1:3000:3000 gitea/gitea:1.25.2
and your factory repository's charts and OpenTofu with this configuration.`;
