import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { credentialSource } from '../../../../src/targets/kubernetes/rest/credentials.ts'
import { clusterAccess } from '../../../../src/targets/kubernetes/rest/kubeconfig.ts'

const root = mkdtempSync(join(tmpdir(), 'tscompose-kubeconfig-'))
after(() => rmSync(root, { recursive: true }))

function file(name: string, text: string): string {
  mkdirSync(join(root, name, '..'), { recursive: true })
  writeFileSync(join(root, name), text)
  return join(root, name)
}

const one = `current-context: a
contexts:
  - {name: a, context: {cluster: c, user: u, namespace: prod}}
  - {name: b, context: {cluster: d, user: v}}
clusters:
  - {name: c, cluster: {server: "https://c:6443/", certificate-authority: certs/ca, tls-server-name: name}}
  - {name: d, cluster: {server: "https://d", insecure-skip-tls-verify: true}}
users:
  - {name: u, user: {client-certificate-data: ${btoa('cert')}, client-key-data: ${btoa('key')}}}
  - {name: v, user: {tokenFile: token}}
`

describe('a kubeconfig', () => {
  const KUBECONFIG = file('one', one)
  file('certs/ca', 'the authority')
  file('token', 't0ken\n')

  test('names a cluster, a user and a namespace, with files from its own folder', () => {
    const { server, context, namespace, tls, user } = clusterAccess({ env: { KUBECONFIG } })
    assert.deepEqual([server, context, namespace], ['https://c:6443', 'a', 'prod'])
    assert.deepEqual([tls.ca?.toString(), tls.servername, tls.rejectUnauthorized], ['the authority', 'name', true])
    assert.ok(user.kind === 'fixed')
    assert.deepEqual([user.credentials.cert?.toString(), user.credentials.key?.toString()], ['cert', 'key'])
    const other = clusterAccess({ env: { KUBECONFIG }, context: 'b' })
    assert.deepEqual([other.namespace, other.tls.rejectUnauthorized], ['default', false])
    assert.ok(other.user.kind === 'fixed' && other.user.credentials.token === 't0ken')
    assert.equal(clusterAccess({ env: { KUBECONFIG }, namespace: 'mine' }).namespace, 'mine')
  })

  test('is that of the home folder, or several, of which the first counts most', () => {
    file('home/.kube/config', one.replace('current-context: a', 'current-context: b'))
    assert.throws(
      () => clusterAccess({ env: { HOME: join(root, 'home') } }),
      /Cannot read ".*token" of a kubeconfig: ENOENT/,
    )
    file('home/.kube/token', 't')
    assert.equal(clusterAccess({ env: { HOME: join(root, 'home') } }).context, 'b')
    const first = file('first', 'current-context: b\n')
    const both = `${first}:${join(root, 'none')}:${KUBECONFIG}`
    assert.equal(clusterAccess({ env: { KUBECONFIG: both } }).server, 'https://d')
  })

  test('that says too little is refused, and nothing of what it says is shown', () => {
    const refused = (env: Record<string, string>, context?: string) => {
      try {
        clusterAccess({ env, context })
      } catch (error) {
        return (error as Error).message
      }
      throw new Error('It was taken')
    }
    assert.match(refused({ KUBECONFIG: join(root, 'none') }), /there is no .*none/)
    assert.match(refused({ KUBECONFIG }, 'x'), /has no context "x"/)
    assert.match(refused({ KUBECONFIG: file('empty', 'users: []') }), /names no current context/)
    const broken = refused({ KUBECONFIG: file('broken', 'users: [{token: s3cr3t\n  x: }') })
    assert.match(broken, /Cannot read kubeconfig .*: it is no YAML/)
    assert.ok(!broken.includes('s3cr3t'))
    const proxy = file('proxy', one.replace('server: "https://c:6443/"', 'server: "https://c", proxy-url: "http://p"'))
    assert.match(refused({ KUBECONFIG: proxy }), /proxy-url/)
  })
})

describe('a plugin that tells credentials', () => {
  const access = (script: string, more = '') => {
    const command = file('plugin', `#!/bin/sh\n${script}\n`)
    chmodSync(command, 0o755)
    const exec = `{apiVersion: client.authentication.k8s.io/v1, command: ./plugin, args: [a b], env: [{name: OWN, value: x}], installHint: Install it${more}}`
    const user = `{name: u, user: {exec: ${exec}}}`
    const KUBECONFIG = file('exec', one.replace(/ {2}- \{name: u, user: \{client.*\n/, `  - ${user}\n`))
    return clusterAccess({ env: { KUBECONFIG } }).user
  }
  const answer = (status: object) => `echo '${JSON.stringify({ kind: 'ExecCredential', status })}'`
  const env = { PATH: process.env['PATH'] }

  test('is run with its words and environment, and asked again when what it said has expired', async () => {
    const soon = new Date(Date.now() + 5000).toISOString()
    const user = access(`echo "$1 $OWN" >> ${root}/runs\n${answer({ token: 't', expirationTimestamp: soon })}`)
    const source = credentialSource(user, env)
    assert.equal((await source()).token, 't')
    await source()
    assert.equal(readFileSync(join(root, 'runs'), 'utf8'), 'a b x\na b x\n')
  })

  test('is asked once while it holds, and again when it is refused; the cluster is told to those that want it', async () => {
    const user = access(
      `echo "$KUBERNETES_EXEC_INFO" >> ${root}/info\n${answer({ token: 't' })}`,
      ', provideClusterInfo: true',
    )
    const source = credentialSource(user, env)
    await Promise.all([source(), source()])
    await source()
    const told = () => readFileSync(join(root, 'info'), 'utf8').trim().split('\n')
    assert.equal(told().length, 1)
    const { spec } = JSON.parse(told()[0]!) as {
      readonly spec: { readonly cluster: Record<string, string>; readonly interactive: boolean }
    }
    assert.deepEqual([spec.cluster['server'], spec.interactive], ['https://c:6443/', false])
    await source({ fresh: true })
    assert.equal(told().length, 2)
  })

  test('that fails or says nonsense is told of, without what it said', async () => {
    const refused = async (script: string) =>
      await credentialSource(access(script), env)().catch((error: Error) => error.message)
    assert.match(String(await refused('exit 3')), /Cannot get credentials from "\.\/plugin": it ended with 3/)
    const said = String(await refused('echo s3cr3t'))
    assert.match(said, /it answers no JSON/)
    assert.ok(!said.includes('s3cr3t'))
    assert.match(String(await refused(answer({}))), /neither a token nor a certificate/)
  })
})
