import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { given, givenOrRead } from '../../src/cli/given-variables.ts'
import { fakeClient, summary, tscompose } from './fake-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-given-'))
after(() => rmSync(folder, { recursive: true }))
const write = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
write('compose.yaml', 'name: shop\nservices:\n  web: {image: a, network_mode: none}\n')
write('.env', 'FROM_FILE=dot\nBOTH=dot\n')
const other = write('other.env', 'FROM_FILE=other\n')

test('given() takes the value of a bare name from what it is told of, and leaves out what is nowhere', () => {
  assert.deepEqual(given(['A=1', 'B', 'C', 'D='], { B: '2' }), ['A=1', 'B=2', 'D='])
  assert.throws(() => given(['=x'], {}), /it has no name/)
})

test('givenOrRead() reads the syntax of env files; what was given before wins, and is what references see', async () => {
  const one = write(
    'one.env',
    `# a comment\nexport A="two words"\nB='as $it is' # said\nC=\${GIVEN}-\${HIDDEN}\nGIVEN=file\n\n`,
  )
  const two = write('two.env', 'A=later\nE=5\n')
  assert.deepEqual(await givenOrRead(['GIVEN=line'], [one, two], { HIDDEN: 'not seen' }), [
    'GIVEN=line',
    'A=two words',
    'B=as $it is',
    'C=line-',
    'E=5',
  ])
  await assert.rejects(givenOrRead([], [join(folder, 'none.env')], {}), /Cannot read ".*none.env": ENOENT/)
  await assert.rejects(givenOrRead([], [write('bad.env', 'A B=1\n')], {}), /Cannot read this line/)
})

async function exec(...argv: readonly string[]) {
  const made: unknown[] = []
  const client = fakeClient({
    containerList: () => [summary('web', 1)],
    execCreate: ({ body }: { body: { Env: unknown } }) => {
      made.push(body.Env)
      return { Id: 'e' }
    },
    execStart: () => undefined,
  })
  const { code, stderr } = await tscompose(argv, { client, cwd: folder, env: { BOTH: 'process' } })
  assert.equal(code, 0, stderr)
  return made
}

test('exec -e NAME takes the value of the process, then that of the env file', async () => {
  const asked = ['exec', '-d', '-e', 'FROM_FILE', '-e', 'BOTH', '-e', 'NOWHERE', 'web', 'true']
  assert.deepEqual(await exec(...asked), [['FROM_FILE=dot', 'BOTH=process']])
  assert.deepEqual(await exec('--env-file', other, ...asked), [['FROM_FILE=other', 'BOTH=process']])
})

test('run -e NAME takes the value of the process, then that of the env file', async () => {
  const client = fakeClient({
    info: () => ({ MemTotal: 1e9, NCPU: 2 }),
    containerList: () => [],
    networkList: () => [],
    volumeList: () => ({ Volumes: [], Warnings: null }),
    imageInspect: () => ({ Id: `sha256:${'a'.repeat(64)}`, RepoTags: ['a:latest'], RepoDigests: [], Config: {} }),
    containerCreate: () => ({ Id: 'c'.repeat(64), Warnings: [] }),
    containerInspect: () => ({ Id: 'c'.repeat(64) }),
    containerStart: () => undefined,
  })
  const argv = ['run', '-d', '-e', 'FROM_FILE', '-e', 'BOTH', '-e', 'NOWHERE', 'web', 'true']
  const { code, stderr } = await tscompose(argv, { client, cwd: folder, env: { BOTH: 'process' } })
  assert.equal(code, 0, stderr)
  const [body] = client.asked.filter(({ name }) => name === 'containerCreate').map(({ input }) => input['body'])
  assert.deepEqual((body as { Env: unknown }).Env, ['FROM_FILE=dot', 'BOTH=process'])
})
