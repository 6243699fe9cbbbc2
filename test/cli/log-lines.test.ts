import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LogLines } from '../../src/cli/log-lines.ts'
import { Screen } from '../../src/cli/screen.ts'

function recorder(ansi: 'never' | 'always' = 'never') {
  const written = { stdout: '', stderr: '' }
  const sink = (name: 'stdout' | 'stderr') => ({
    write: (text: string | Uint8Array) => (written[name] += text).length > 0,
  })
  return {
    written,
    screen: new Screen({ stdout: sink('stdout'), stderr: sink('stderr'), stdinIsTTY: false, env: {}, ansi }),
  }
}

const style = { prefix: true, colour: true, timestamps: false }
const line = {
  container: 'shop-web-1',
  service: 'web',
  number: 1,
  stream: 'stdout',
  time: undefined,
  text: 'hi',
} as const

describe('LogLines', () => {
  test('aligns prefixes and keeps the streams apart', () => {
    const { written, screen } = recorder()
    const lines = new LogLines(screen, { ...style, services: ['web', 'database'] })
    lines.write(line)
    lines.write({ ...line, service: 'database', container: 'shop-database-1', stream: 'stderr', text: 'oops' })
    assert.deepEqual(written, { stdout: 'web-1       | hi\n', stderr: 'database-1  | oops\n' })
  })

  test('marks what hooks print, and is as wide as that from then on', () => {
    const { written, screen } = recorder()
    const lines = new LogLines(screen, { ...style, services: ['web'] })
    lines.write(line)
    lines.hook({ service: 'web', container: 'shop-web-1' }, 'from a hook')
    lines.write(line)
    assert.equal(written.stdout, 'web-1  | hi\nweb-1 ->  | from a hook\nweb-1     | hi\n')
  })

  test('gives a service its colour by its place in the stack, not by who speaks first', () => {
    const [one, two] = [recorder('always'), recorder('always')]
    const services = ['web', 'db']
    const first = new LogLines(one.screen, { ...style, services })
    const second = new LogLines(two.screen, { ...style, services })
    first.write(line)
    second.write({ ...line, service: 'db', container: 'shop-db-1' })
    two.written.stdout = ''
    second.write(line)
    assert.equal(one.written.stdout, two.written.stdout)
    assert.match(one.written.stdout, /\u001b\[/)
  })

  test('shows times, and no prefix when none is wanted', () => {
    const { written, screen } = recorder()
    new LogLines(screen, { ...style, prefix: false, timestamps: true }).write({ ...line, time: '2026-01-02T03:04:05Z' })
    assert.equal(written.stdout, '2026-01-02T03:04:05Z hi\n')
  })

  test('lets colours of a container through and nothing else that drives a terminal', () => {
    const { written, screen } = recorder()
    new LogLines(screen, { ...style, prefix: false }).write({
      ...line,
      text: '\u001b[31mred\u001b[0m \u001b[2J\u001b]0;x\u0007\r',
    })
    assert.equal(written.stdout, '\u001b[31mred\u001b[0m \\x1b[2J\\x1b]0;x\\x07\n')
  })

  test('names a container that ended as its lines do', () => {
    const { written, screen } = recorder()
    const lines = new LogLines(screen, { ...style, services: ['web'] })
    const end = { service: 'web', exitCode: 3, restarts: false }
    lines.exited({ ...end, container: 'shop-web-1' })
    lines.exited({ ...end, container: 'named', restarts: true })
    assert.equal(written.stdout, 'web-1 exited with code 3\nnamed exited with code 3 (restarting)\n')
  })

  test('names a container by its container_name where it has one, and one of run as such', () => {
    const { written, screen } = recorder()
    const lines = new LogLines(screen, { ...style, services: ['web'] })
    lines.write({ ...line, container: 'the-site' })
    lines.write({ ...line, container: 'shop-web-run-0a1b2c3d4e5f' })
    assert.equal(written.stdout, 'the-site  | hi\nweb-run-0a1b2c3d4e5f  | hi\n')
  })
})
