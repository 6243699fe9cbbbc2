/** Bad input: each prints what, where and what to do, and leaves nothing behind. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { command } from '../support/command.ts'
import { launcher, type Stack, TestEngine } from '../support/engine.ts'
import { lacking, program, root, which } from '../support/needs.ts'
import { leftOver, type Stock } from '../support/stock.ts'

const sleeper = 'image: busybox, command: sleep infinity, stop_signal: SIGKILL'

interface Case {
  readonly title: string
  readonly yaml: string
  readonly code: number
  /** All of these must be said on stderr. */
  readonly says: readonly RegExp[]
  readonly args?: readonly string[]
}

const cases: readonly Case[] = [
  { title: 'a YAML syntax error', yaml: 'services:\n  a: [busybox\n', code: 1, says: [/compose\.yaml:\d+:\d+/] },
  {
    title: 'an unknown key, with a suggestion',
    yaml: 'services:\n  a:\n    imagee: busybox\n',
    code: 1,
    says: [/compose\.yaml:3:5/, /services\.a\.imagee/, /image\b/],
  },
  {
    title: 'a wrong type',
    yaml: 'services:\n  a:\n    image: busybox\n    ports: 80\n',
    code: 1,
    says: [/compose\.yaml:4:/, /services\.a\.ports/],
  },
  {
    title: 'a variable that is needed and unset',
    yaml: 'services:\n  a:\n    image: "${TAG_THAT_IS_UNSET:?say which}"\n',
    code: 1,
    says: [/compose\.yaml:3:/, /TAG_THAT_IS_UNSET/, /say which/],
  },
  {
    title: 'a dependency cycle, in full',
    yaml: `services:\n  a: {${sleeper}, depends_on: [b]}\n  b: {${sleeper}, depends_on: [c]}\n  c: {${sleeper}, depends_on: [a]}\n`,
    code: 1,
    says: [/a → b → c → a|b → c → a → b|c → a → b → c/],
  },
  {
    title: 'an undefined network',
    yaml: 'services:\n  a:\n    image: busybox\n    networks: [front]\nnetworks: {fornt: {}}\n',
    code: 1,
    says: [/compose\.yaml:4:/, /front/, /fornt/],
  },
  {
    title: 'a port clash inside the stack',
    yaml: `services:\n  a: {${sleeper}, ports: ["18099:80"]}\n  b: {${sleeper}, ports: ["18099:81"]}\n`,
    code: 1,
    says: [/compose\.yaml:[23]:/, /18099/],
  },
  {
    title: 'an image that is not present and not to be had',
    yaml: 'services:\n  a: {image: "127.0.0.1:1/nowhere:1"}\n',
    code: 1,
    says: [/127\.0\.0\.1:1\/nowhere:1/],
  },
  {
    title: 'a command that is not in the image',
    yaml: 'services:\n  a: {image: busybox, command: no-such-command}\n',
    code: 1,
    says: [/no-such-command/, /not found/],
  },
  {
    title: 'a command that is not executable',
    yaml: 'services:\n  a: {image: busybox, command: /etc/passwd}\n',
    code: 1,
    says: [/\/etc\/passwd/, /permission denied/i],
  },
  {
    title: 'an unknown user',
    yaml: 'services:\n  a: {image: busybox, user: nobody-at-all}\n',
    code: 1,
    says: [/nobody-at-all/],
  },
  {
    title: 'a bind source that is missing',
    yaml: 'services:\n  a:\n    image: busybox\n    volumes: [{type: bind, source: ./missing, target: /x}]\n',
    code: 1,
    says: [/missing/, /exist/],
  },
  {
    title: 'a thousand in flight',
    yaml: `services:\n  a: {${sleeper}}\n`,
    args: ['up', '-d', '--parallel', '1000'],
    code: 1,
    says: [/1,?000/, /parallel/],
  },
]

describe('bad input', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  let stock: Stock
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())
  beforeEach(async () => {
    stock = await engine.stock()
  })
  afterEach(async () => {
    assert.deepEqual(leftOver(stock, await engine.stock()), {})
  })

  /** Shows that the project is as if up had never been typed: down finds at most created containers and networks. */
  const clean = async (stack: Stack): Promise<void> => {
    await stack.try('down')
    const left = await engine.docker(['ps', '-aq'])
    assert.equal(left.stdout, '')
  }

  for (const { title, yaml, args = ['up', '-d'], code, says } of cases) {
    test(`${title} is refused with its place and what to do`, async () => {
      const stack = engine.stack(yaml)
      const said = await stack.try(...args)
      assert.equal(said.code, code, `${said.stdout}${said.stderr}`)
      for (const pattern of says) assert.match(said.stderr, pattern)
      assert.doesNotMatch(said.stderr, /\n\s+at .*\.ts:\d+/, 'no stack trace')
      if (code === 2) assert.equal((await engine.docker(['ps', '-aq'])).stdout, '')
      else await clean(stack)
    })
  }

  test('a port that another program of the host holds is refused with its holder', async () => {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '0.0.0.0', resolve))
    const { port } = server.address() as { port: number }
    try {
      const stack = engine.stack(`services:\n  a: {${sleeper}, ports: ["${port}:80"]}\n`)
      const said = await stack.try('up', '-d')
      assert.equal(said.code, 1)
      assert.match(said.stderr, new RegExp(`${port}`))
      assert.match(said.stderr, new RegExp(`${process.pid}|node`), 'the holder is named')
      await clean(stack)
    } finally {
      server.close()
    }
  })

  test('a port that another container holds is refused with its name', async () => {
    const one = engine.stack(`services:\n  a: {${sleeper}, ports: ["127.0.0.1:18098:80"]}\n`, 'first')
    const two = engine.stack(`services:\n  a: {${sleeper}, ports: ["127.0.0.1:18098:80"]}\n`, 'second')
    await one.run('up', '-d')
    const said = await two.try('up', '-d')
    assert.equal(said.code, 1)
    assert.match(said.stderr, /18098/)
    assert.match(said.stderr, /first-a-1/)
    await two.run('down')
    await one.run('down')
  })

  test('the engine of a user who has no folder for it says what is missing', {
    skip: lacking(program('setpriv')),
  }, async () => {
    const said = await command(
      which('setpriv')!,
      ['--reuid', '65534', '--regid', '65534', '--clear-groups', launcher, 'engine', '--socket', '/tmp/tsc-none.sock'],
      { env: { HOME: '/', XDG_RUNTIME_DIR: undefined } },
    )
    assert.equal(said.code, 1)
    assert.match(said.stderr, /XDG_RUNTIME_DIR is not set\n.*Log in as this user, or set XDG_RUNTIME_DIR/)
  })

  test('a socket that refuses is named with what was tried and what to do', async () => {
    const said = await engine.stack(`services:\n  a: {${sleeper}}\n`).try('--host', 'unix:///tmp/tsc-none.sock', 'ps')
    assert.equal(said.code, 1)
    assert.match(said.stderr, /\/tmp\/tsc-none\.sock/)
  })
})
