/** A stack whose images are all built: brought up by one command, and again after a line of its sources has changed. */
import assert from 'node:assert/strict'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { jsonLines, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { lacking, program, root } from '../support/needs.ts'

const example = fileURLToPath(new URL('../../examples/workshop', import.meta.url))

/** "[web pages 5/5] RUN …" → how it ended, and why it was not cached. */
function stepsOf(output: string): ReadonlyMap<string, { readonly end: string; readonly missed: string | undefined }> {
  const names = new Map<string, string>()
  const steps = new Map<string, { end: string; missed: string | undefined }>()
  for (const [, number, text] of output.matchAll(/^#(\d+) (.*)$/gm)) {
    const name = names.get(number!)
    if (name === undefined) {
      names.set(number!, text!)
      steps.set(text!, { end: '', missed: undefined })
    } else if (text!.startsWith('not cached: ')) steps.get(name)!.missed = text!.slice('not cached: '.length)
    else if (/^(CACHED|DONE|ERROR)/.test(text!)) steps.get(name)!.end = text!.replace(/ .*/, '')
  }
  return steps
}

describe('a stack whose images are all built', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  let folder: string
  let env: Record<string, string>
  before(async () => {
    engine = await TestEngine.start()
    folder = join(engine.folder, 'workshop')
    cpSync(example, folder, { recursive: true })
    env = { WORKSHOP_PORT: String(await freePort()) }
  })
  after(() => engine.stop())

  const run = async (...args: readonly string[]) => {
    const said = await engine.tscompose(args, { cwd: folder, env, timeout: 120_000 })
    assert.equal(said.code, 0, `${args.join(' ')}\n${said.stdout}${said.stderr}\n${engine.log}`)
    return said
  }
  const ids = async () => {
    const { stdout } = await run('ps', '-a', '--format', 'json')
    return new Map(jsonLines(stdout).map(c => [c.Service as string, c.ID as string]))
  }
  const page = () => run('logs', '--no-log-prefix', 'checker').then(({ stdout }) => stdout)

  test('plan says which images would be built, why, and in which order', async () => {
    const { stdout } = await run('plan', '--steps')
    const builds = stdout.split('\n').filter(line => line.includes('build-image'))
    assert.deepEqual(
      builds.map(line => line.replace(/ +/g, ' ')),
      [
        '#1 image workshop-base build-image not present',
        '#2 <1> image workshop-checker build-image not present',
        '#3 <1> image workshop-web build-image not present',
      ],
    )
  })

  test('one up builds them and brings it up', async () => {
    const { stderr } = await run('up', '-d', '--build')
    const steps = [...stepsOf(stderr)].filter(([name]) => /\] (RUN|COPY|WORKDIR)/.test(name))
    assert.ok(steps.length === 7 && steps.every(([, { end }]) => end === 'DONE'), stderr)
    assert.match(stderr, /read texts\/first\.txt/)
    await eventually('the page', async () => /The workshop.*Measure twice.*Sweep the floor/s.test(await page()))
    const answer = await fetch(`http://127.0.0.1:${env['WORKSHOP_PORT']}/`)
    assert.match(await answer.text(), /Measure twice/)
  })

  test('a second one runs no step and leaves the containers alone', async () => {
    const before = await ids()
    const { stderr } = await run('up', '-d', '--build')
    const ran = [...stepsOf(stderr)].filter(([name, { end }]) => /\] (RUN|COPY)/.test(name) && end !== 'CACHED')
    assert.deepEqual(ran, [], stderr)
    assert.deepEqual((await ids()).get('web'), before.get('web'))
  })

  test('after one line has changed only the steps that depend on it run, and the output says why', async () => {
    const before = await ids()
    writeFileSync(join(folder, 'web/texts/first.txt'), 'Oil the hinges.\n')
    writeFileSync(join(folder, 'web/texts/ideas.note'), 'what is ignored may change\n')
    const { stderr } = await run('up', '-d', '--build')
    const steps = [...stepsOf(stderr)].filter(([name]) => /\] (RUN|COPY|WORKDIR)/.test(name))
    const ran = steps.filter(([, { end }]) => end !== 'CACHED')
    assert.deepEqual(
      ran.map(([name]) => name.replace(/^\[(\w+) ([\w-]+) \d\/\d\] (\w+) .*/, '$1 $2 $3')),
      ['web pages COPY', 'web pages RUN', 'web stage-1 COPY'],
      stderr,
    )
    assert.match(ran[0]![1].missed ?? '', /texts\/first\.txt changed/, stderr)
    assert.ok(
      ran.every(([, { missed }]) => missed !== undefined),
      stderr,
    )
    const now = await ids()
    assert.notEqual(now.get('web'), before.get('web'))
    await eventually('the new page', async () => /Oil the hinges/.test(await page()))
  })

  test('a step that fails is told with its lines, its output, and its place in the stack', async () => {
    writeFileSync(join(folder, 'web/make-pages.sh'), 'echo "no paper" >&2\nexit 3\n')
    const { code, stderr } = await engine.tscompose(['build', 'web'], { cwd: folder, env })
    assert.equal(code, 1)
    assert.match(stderr, /Last output of .*RUN sh make-pages\.sh.*\n {2}no paper/)
    assert.match(stderr, /compose\.yaml:9:5 service web/)
    assert.match(stderr, /Dockerfile:7\n.*>>> RUN sh make-pages\.sh/s)
    assert.match(stderr, /Cannot build image "workshop-web": .*exit code: 3/)
  })
})
