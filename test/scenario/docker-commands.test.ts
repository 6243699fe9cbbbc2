/** Every sub-command of docker's command line on our socket: how it ends and what it says, as kept here, and as a real engine has it where there is one. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { command } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { dockerEngine, lacking, program, root, which } from '../support/needs.ts'
import { busyboxImageTar, tinyTar } from '../support/tiny-image.ts'
import { day, named, type Step, wordsOf } from './docker-commands.ts'

const docker = await dockerEngine()
const skip = lacking(root(), program('busybox'), program('nft'), program('docker'))

describe('the docker CLI, a sub-command at a time', { skip }, () => {
  const mark = `day-${process.pid}`
  let ours: TestEngine
  let folder: string
  let steps: readonly Step[]
  let said: readonly string[]
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tsc-day-'))
    const tar = await tinyTar({ 'etc/motd': 'hello\n' })
    steps = day({ tar, image: await busyboxImageTar(`${mark}:latest`) })
    ours = await TestEngine.start([])
    said = await lived(ours.host)
  })
  after(async () => {
    await ours?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Its sub-commands, found by its help; plugins are marked by a star and are not its own. */
  async function commandsOf(...words: readonly string[]): Promise<readonly string[]> {
    const { stdout } = await on(undefined, [...words, '--help'])
    const found = [...stdout.matchAll(/^ {2}([a-z][a-z-]*) {2,}\S/gm)].map(match => [...words, match[1]!])
    if (words.length > 0) return found.length > 0 ? found.map(each => each.join(' ')) : [words.join(' ')]
    const within = await Promise.all(found.map(each => commandsOf(...each)))
    return within.flat()
  }

  function on(host: string | undefined, args: readonly string[], input: string | Buffer = '') {
    const env = { DOCKER_HOST: host, DOCKER_CONFIG: folder, DOCKER_BUILDKIT: '0', DOCKER_CONTEXT: undefined }
    return command(which('docker')!, args, { env, input, timeout: 60_000 })
  }

  /** What an engine says in the course of a day, a text for each step. */
  async function lived(host: string): Promise<readonly string[]> {
    const texts: string[] = []
    for (const step of steps) {
      const input = typeof step.input === 'string' ? named(step.input, mark) : step.input
      const words = wordsOf(step).map(word => named(word, mark))
      const asked = step.alone === undefined || host === ours.host
      const { code, stdout, stderr } = asked ? await on(host, words, input) : { ...step.alone!, stdout: '', stderr: '' }
      const text = (step.apart ?? step.alone) ? '\n' : `\n${shown(stdout)}${shown(stderr)}`
      texts.push(`$ docker ${wordsOf(step).join(' ')}\nends with ${code}${text}`)
    }
    return texts
  }

  /** Without what is of one engine, or of one moment. */
  function shown(text: string): string {
    return text
      .replaceAll(mark, 'M')
      .replaceAll(/\b[0-9a-f]{64}\b/g, 'ID')
      .replaceAll(/\b[0-9a-f]{12}\b/g, 'ID')
      .replaceAll(folder, 'FOLDER')
      .replaceAll(/(127\.0\.0\.1|\[::1\]):\d+/g, 'PLACE')
  }

  test('has a step for each', async () => {
    const all = (await commandsOf()).filter(each => !/^(buildx|compose)/.test(each))
    assert.ok(all.length > 120, `${all.length} found`)
    const done = new Set(
      steps.flatMap(step => [
        wordsOf(step)[0]!,
        wordsOf(step).slice(0, 2).join(' '),
        wordsOf(step).slice(0, 3).join(' '),
      ]),
    )
    assert.deepEqual(
      all.filter(each => !done.has(each)),
      [],
    )
  })

  test('says what is kept here', t => t.assert.snapshot(said.join('\n'), { serializers: [text => text] }))

  test(
    'says what a real engine says',
    {
      skip: docker ? false : 'no Docker Engine here: set TSCOMPOSE_TEST_DOCKER to the socket of one',
    },
    async () => assert.deepEqual(said, await lived(docker!)),
  )
})
