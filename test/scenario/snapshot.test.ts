/** Volumes, model and images of a stack, kept and brought back. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { onBothEngines } from '../support/both-engines.ts'
import { jsonLines, launcher } from '../support/engine.ts'
import { holdingProxy } from '../support/holding-proxy.ts'

const project = `snapshot${process.pid}`

await onBothEngines('snapshots', [project], ground => {
  const stack = (image: string, tag: string) => `name: ${project}
services:
  db:
    image: ${image}
    command: sleep infinity
    stop_signal: SIGKILL
    environment: {TAG: ${tag}}
    volumes: ["rows:/rows"]
  web: {image: ${image}, command: sleep infinity, stop_signal: SIGKILL}
volumes: {rows: {labels: {of: tests}}}
`
  const db = (script: string) => ground().run('stack', 'exec', '-T', 'db', 'sh', '-c', script)
  const listed = async () =>
    JSON.parse(await ground().run('stack', 'snapshot', 'ls', '--format', 'json')) as { Name: string; Cause: string }[]
  const state = async () => jsonLines(await ground().run('stack', 'ps', '--format', 'json')).map(each => each.State)
  const facts = 'cd /rows; ls -lAn . sub | sed "/^total/d"; cat file sub/link; stat -c "%a %u:%g %Y %h" . file'

  test('create copies all there is of a volume, and lets what runs go on', async () => {
    const { write, run, attempt, image } = ground()
    write('stack/compose.yaml', stack(image, 'one'))
    await run('stack', 'up', '-d')
    await db(
      `cd /rows; echo first > file; ln file hard; mkdir sub; chmod 2750 sub; ln -s ../file sub/link; chown -R 70:71 .; chmod 4711 file; touch -d '2001-02-03 04:05:06' file; dd if=/dev/urandom of=big bs=1024 count=3000 2> /dev/null`,
    )
    const before = await db(facts)
    const sum = await db('md5sum /rows/big')
    const said = await attempt('stack', 'snapshot', 'create', 'good')
    assert.equal(said.code, 0, said.stderr)
    assert.equal(said.stdout, 'good\n')
    assert.match(said.stderr, new RegExp(`Pausing ${project}-db-1 while volumes are copied`))
    assert.deepEqual(await state(), ['running', 'running'])
    assert.match((await attempt('stack', 'snapshot', 'create', 'good')).stderr, /has a snapshot "good" already/)

    write('stack/compose.yaml', stack(image, 'two'))
    await run('stack', 'up', '-d')
    await db('rm -rf /rows/*; echo second > /rows/other')
    const restored = await attempt('stack', 'snapshot', 'restore', 'good')
    assert.equal(restored.code, 0, restored.stderr)
    assert.equal(await db(facts), before)
    assert.equal(await db('md5sum /rows/big'), sum)
    assert.equal(await db('ls /rows'), 'big\nfile\nhard\nsub\n')
    assert.equal(await db('echo $TAG'), 'one\n')
  })

  test('what is restored is the volume of the stack again, and the files of the stack are followed by the next up', async () => {
    const { run } = ground()
    const plan = await run('stack', 'plan')
    assert.match(plan, /environment\.TAG one→two/)
    assert.doesNotMatch(plan, /volume/)
    const [volume] = JSON.parse(await run('stack', 'volumes', '--format', 'array')) as { Name: string }[]
    assert.equal(volume!.Name, `${project}_rows`)
  })

  test('--while stopped stops and starts, and a snapshot outlives down -v', async () => {
    const { run, attempt } = ground()
    const said = await attempt('stack', 'snapshot', 'create', 'still', '--while', 'stopped')
    assert.equal(said.code, 0, said.stderr)
    assert.match(said.stderr, /Stopping /)
    assert.deepEqual(await state(), ['running', 'running'])
    await run('stack', 'down', '-v')
    await run('stack', 'snapshot', 'restore', 'still')
    assert.equal(await db('cat /rows/file'), 'first\n')
  })

  for (const [meanwhile, stands] of [
    ['paused', 'paused'],
    ['stopped', 'exited'],
  ] as const)
    test(`what is ${meanwhile} for one whose taker is killed goes on with the next command`, async () => {
      const { kind, write, run, attempt, image, folder, env, host } = ground()
      write('stack/compose.yaml', stack(image, 'one'))
      await run('stack', 'up', '-d')
      // where the engine does not clone, its content goes through containers that never start
      const copies =
        kind === 'ours' ? /POST \/v[\d.]+\/volumes\/[^ /]+\/clone/ : /PUT \/v[\d.]+\/containers\/[^ /]+\/archive/
      await using proxy = await holdingProxy(join(folder, `proxy-${meanwhile}.sock`), host, copies)
      env['DOCKER_HOST'] = proxy.host
      try {
        const words = ['snapshot', 'create', `cut-${meanwhile}`, '--while', meanwhile]
        const taking = spawn(launcher, words, {
          cwd: join(folder, 'stack'),
          env: { ...process.env, ...env },
          stdio: 'ignore',
        })
        const ended = once(taking, 'exit')
        await Promise.race([proxy.held, ended.then(code => assert.fail(`it ended with ${code}`))])
        taking.kill('SIGKILL')
        await ended
        proxy.release()
        const states = async () =>
          Object.fromEntries(
            jsonLines(await run('stack', 'ps', '-a', '--format', 'json')).map(each => [each.Service, each.State]),
          )
        assert.deepEqual(await states(), { db: stands, web: 'running' })
        const stopped = await attempt('stack', 'stop', 'web')
        assert.equal(stopped.code, 0, stopped.stderr)
        assert.match(stopped.stderr, new RegExp(`Snapshot cut-${meanwhile} was broken off: ${project}-db-1 .* goes on`))
        assert.deepEqual(await states(), { db: 'running', web: 'exited' })
        assert.equal((await attempt('stack', 'up', '-d')).stderr.includes('broken off'), false)
        assert.equal((await listed()).length, 0)
        assert.equal((await run('stack', 'df', '--format', 'json')).includes('_snapshot-cut-'), false)
      } finally {
        env['DOCKER_HOST'] = host
      }
    })

  test('up --snapshot takes one before an image of a service with volumes changes, and only then', async () => {
    const { run, write, image, attempt } = ground()
    const other = `${image}-snap`
    await run('stack', 'commit', 'web', other)
    write('stack/compose.yaml', stack(image, 'three'))
    await run('stack', 'up', '-d', '--snapshot')
    assert.deepEqual((await listed()).map(each => each.Name).sort(), ['good', 'still'])
    write('stack/compose.yaml', stack(other, 'three'))
    const up = await attempt('stack', 'up', '-d', '--snapshot')
    assert.equal(up.code, 0, up.stderr)
    const [newest] = await listed()
    assert.equal(newest!.Cause, 'before another image of db')
    await db('rm -rf /rows/*')
    await run('stack', 'snapshot', 'restore', newest!.Name)
    assert.equal(await db('cat /rows/file'), 'first\n')
    const images = jsonLines(await run('stack', 'ps', '--format', 'json')).map(each => each.Image)
    assert.deepEqual(images, [image, image])
    await run('stack', 'down', '-v')
    await attempt('stack', 'image', 'rm', other)
  })

  test('rm removes the copies too', async () => {
    const { run } = ground()
    for (const { Name } of await listed()) await run('stack', 'snapshot', 'rm', Name)
    assert.deepEqual(await listed(), [])
    assert.equal(await run('stack', 'df', '--format', 'json').then(text => text.includes('_snapshot-')), false)
  })
})
