import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { tscompose } from './fake-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-audit-'))
after(() => rmSync(folder, { recursive: true }))
writeFileSync(
  join(folder, 'compose.yaml'),
  'name: shop\nservices:\n  web:\n    image: x\n    pid: host\n  db:\n    image: x\n    cgroup: host\n',
)
const run = (...args: string[]) => tscompose(['-f', join(folder, 'compose.yaml'), 'audit', ...args])

describe('tscompose audit', () => {
  test('shows what stands where, what it risks and what to write instead, and fails when that is bad', async () => {
    const { code, stdout } = await run()
    assert.equal(code, 2)
    assert.match(stdout, /^high {5}web: pid host {2}.*compose\.yaml:5:5\n {9}It sees.*\n {9}→ Leave it out\n/)
    assert.match(stdout, /^medium {3}db: cgroup host/m)
    assert.match(stdout, /^12 findings: 1 high, 1 medium, 10 low; 10 are not shown, --level low shows all\n$/m)
  })

  test('fails from the level it is told on, and never with none', async () => {
    const codes = [
      (await run('--fail-on', 'critical')).code,
      (await run('db')).code,
      (await run('db', '--fail-on', 'medium')).code,
      (await run('--fail-on', 'none')).code,
    ]
    assert.deepEqual(codes, [0, 0, 2, 0])
  })

  test('prints rows for programs', async () => {
    const { stdout } = await run('web', '--format', 'json', '--level', 'high')
    const [row, ...rest] = JSON.parse(stdout)
    assert.deepEqual(rest, [])
    assert.deepEqual([row.Severity, row.Rule, row.Path, row.Line], ['high', 'host-namespace', 'services.web.pid', 5])
    assert.equal((await run('web', '--format', '{{.Service}} {{.Severity}}')).stdout, 'web high\n')
  })

  test('says so when there is no such service', async () => {
    const { code, stderr } = await run('nope')
    assert.equal(code, 1)
    assert.match(stderr, /no such service: nope/)
  })
})
