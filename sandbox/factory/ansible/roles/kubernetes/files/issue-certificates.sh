#!/bin/sh
# Issues the cluster's certificates and kubeconfigs: one folder a machine with exactly what that machine needs.
# usage: issue-certificates.sh PKI_DIR KUBECONFIG API_URL SERVER "NODES" "ADDRESSES" SERVICE_ADDRESS
set -eu
umask 077
out=$1 kubeconfig=$2 api=$3 server=$4 nodes=$5 addresses=$6 service_address=$7
server_address=$(echo "$api" | sed 's#https://##; s#:.*##')
rm -rf "$out" && mkdir -p "$out/issued" && cd "$out/issued"
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

key ca
openssl req -x509 -new -key ca.key -out ca.crt -days 365 -subj /CN=sandbox-kubernetes-ca \
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
issue() { # name subject alternative-names
  key "$1"
  openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\nkeyUsage=critical,digitalSignature\n' "$3" > "$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
}
config() { # name: kubeconfig with that certificate embedded
  cat > "$1.kubeconfig" <<X
apiVersion: v1
kind: Config
current-context: sandbox
clusters: [{name: sandbox, cluster: {server: "$api", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}}]
contexts: [{name: sandbox, context: {cluster: sandbox, user: $1}}]
X
}
issue apiserver /CN=kube-apiserver "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:$server_address,IP:$service_address,IP:127.0.0.1"
issue apiserver-kubelet-client /CN=kube-apiserver-kubelet-client DNS:apiserver-kubelet-client
issue admin /O=system:masters/CN=sandbox-operator DNS:admin; config admin
issue controller-manager /CN=system:kube-controller-manager DNS:controller-manager; config controller-manager
issue scheduler /CN=system:kube-scheduler DNS:scheduler; config scheduler
key service-account
openssl ec -in service-account.key -pubout -out service-account.pub 2>/dev/null

set -- $addresses
for node in $nodes; do
  issue "$node" "/O=system:nodes/CN=system:node:$node" "DNS:$node,IP:$1"; config "$node"
  issue "proxy-$node" /CN=system:kube-proxy "DNS:proxy-$node"; config "proxy-$node"
  mkdir -p "../$node"
  cp ca.crt "../$node/"
  for part in crt key kubeconfig; do cp "$node.$part" "../$node/kubelet.$part"; done
  cp "proxy-$node.kubeconfig" "../$node/proxy.kubeconfig"
  shift
done
cp apiserver.crt apiserver.key apiserver-kubelet-client.crt apiserver-kubelet-client.key controller-manager.kubeconfig \
  scheduler.kubeconfig service-account.key service-account.pub "../$server/"
cp admin.kubeconfig "$kubeconfig"
cp ca.crt "../ca.crt"
touch ../complete
