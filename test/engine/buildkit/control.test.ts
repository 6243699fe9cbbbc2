import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { control } from '../../../src/api/buildkit/control.ts'
import { llbBridge } from '../../../src/api/buildkit/gateway.ts'
import { failureOfTrailers, GrpcFailure, trailersOf } from '../../../src/api/buildkit/grpc-status.ts'
import type { From } from '../../../src/api/buildkit/message.ts'
import { BuildFailure } from '../../../src/engine/build/build-failure.ts'
import { solveError } from '../../../src/engine/buildkit/solve-error.ts'
import { mostOutput } from '../../../src/engine/buildkit/status-log.ts'
import { Failure, isFailure } from '../../../src/lib/failure.ts'
import { bench, folderForEach, image, now, step } from './bench.ts'

folderForEach()

describe('a build by BuildKit’s protocol', () => {
  test('gets its options and files, and answers with the image', async () => {
    let dockerfile = ''
    await using on = await bench(async ({ client }) => {
      const folder = await client.context('dockerfile', { exclude: [], follow: ['Dockerfile'] })
      dockerfile = readFileSync(join(folder, 'Dockerfile'), 'utf8')
      return image
    })
    const attributes = {
      filename: 'Dockerfile',
      target: 'web',
      'build-arg:V': '1',
      'label:team': 'a',
      'add-hosts': 'db=10.0.0.1,"cache=10.0.0.2"',
      ulimit: 'nofile=10:20,core=-1',
      'shm-size': '1048576',
      'force-network-mode': 'none',
      'no-cache': 'web,api',
      'image-resolve-mode': 'pull',
      platform: 'linux/amd64',
      'context:base': 'docker-image://busybox:1',
      'context:assets': 'local:assets',
      'cache-imports': '[{"Type":"registry","Attrs":{"ref":"r/c"}}]',
    }
    const answer = await on.buildx({ attributes, request: { entitlements: ['network.host'] } })
    assert.equal(answer.get('containerimage.digest'), image.id)
    assert.equal(answer.get('containerimage.config.digest'), image.id)
    assert.equal(answer.get('image.name'), 'docker.io/library/app:1')
    assert.equal(dockerfile, 'FROM base\nRUN make\n')
    const { client: _, ...request } = on.requests[0]!
    assert.partialDeepStrictEqual(request, {
      dockerfile: 'Dockerfile',
      target: 'web',
      args: new Map([['V', '1']]),
      labels: new Map([['team', 'a']]),
      tags: ['app:1'],
      platform: 'linux/amd64',
      noCache: ['web', 'api'],
      pull: true,
      network: 'none',
      extraHosts: [
        { host: 'db', address: '10.0.0.1' },
        { host: 'cache', address: '10.0.0.2' },
      ],
      shmSize: 1048576,
      ulimits: [
        { name: 'nofile', soft: 10, hard: 20 },
        { name: 'core', soft: -1, hard: -1 },
      ],
      entitlements: new Set(['network.host']),
      namedContexts: new Map<string, object>([
        ['base', { kind: 'image', reference: 'busybox:1' }],
        ['assets', { kind: 'local', name: 'assets' }],
      ]),
      cacheFrom: [{ type: 'registry', attributes: new Map([['ref', 'r/c']]) }],
    })
  })

  test('is told step by step, from the beginning also to who comes late', async () => {
    const go = Promise.withResolvers<void>()
    await using on = await bench(async (_, tell) => {
      tell({ kind: 'step', id: step, name: '[1/1] RUN make', inputs: [], lines: { first: 2, last: 2 } })
      tell({ kind: 'missed', id: step, reason: 'never built' })
      tell({ kind: 'started', id: step, at: 1000.5 })
      tell({ kind: 'output', id: step, stream: 'stderr', data: Buffer.from('made\n'), at: now() })
      tell({ kind: 'progress', id: step, part: 'layer', current: 1, total: 2, at: now(), done: false })
      await go.promise
      tell({ kind: 'completed', id: step, at: 2000, error: undefined })
      return image
    })
    const solved = on.buildx()
    const seen = {
      vertexes: [] as object[],
      logs: [] as string[],
      statuses: [] as string[],
      digests: new Set<string>(),
    }
    for await (const status of on.grpc.responses(control.status, { ref: 'build-1' })) {
      seen.vertexes.push(...status.vertexes)
      const told = [
        ...status.vertexes.map(({ digest }) => digest),
        ...[...status.logs, ...status.statuses].map(of => of.vertex),
      ]
      for (const digest of told) seen.digests.add(digest)
      seen.logs.push(...status.logs.map(({ data, stream }) => `${stream} ${Buffer.from(data)}`))
      seen.statuses.push(...status.statuses.map(({ id, current, total }) => `${id} ${current}/${total}`))
      go.resolve()
    }
    await solved
    assert.partialDeepStrictEqual(seen.vertexes.at(-1), {
      digest: [...seen.digests][0]!,
      name: '[1/1] RUN make',
      missed: 'never built',
      started: { seconds: 1, nanos: 500_000 },
      completed: { seconds: 2, nanos: 0 },
    })
    assert.equal(seen.digests.size, 1)
    assert.deepEqual(seen.logs, ['2 made\n'])
    assert.deepEqual(seen.statuses, ['layer 1/2'])
  })

  test('has steps of its own beside another build, which a client shows with it', async () => {
    await using on = await bench(async (_, tell) => {
      tell({ kind: 'step', id: step, name: 'FROM base', inputs: [], lines: undefined })
      tell({ kind: 'step', id: 'next', name: 'RUN make', inputs: [step], lines: undefined })
      return image
    })
    const stepsOf = async (ref: string) => {
      await on.buildx({ ref })
      const [status] = await Array.fromAsync(on.grpc.responses(control.status, { ref }, { timeout: 5000 }))
      return status!.vertexes.map(({ digest, inputs }) => ({ digest, inputs }))
    }
    const [one, two] = [await stepsOf('build-1'), await stepsOf('build-2')]
    for (const steps of [one, two]) assert.deepEqual(steps[1]?.inputs, [steps[0]?.digest])
    assert.equal(new Set([...one, ...two].map(({ digest }) => digest)).size, 4)
  })

  test('that is over before anybody watches it is told all the same', async () => {
    await using on = await bench(async (_, tell) => {
      tell({ kind: 'step', id: step, name: '[1/1] RUN make', inputs: [], lines: undefined })
      return image
    })
    await on.buildx()
    const [status] = await Array.fromAsync(on.grpc.responses(control.status, { ref: 'build-1' }, { timeout: 5000 }))
    assert.equal(status?.vertexes[0]?.name, '[1/1] RUN make')
  })

  test('ends a step that is cached once', async () => {
    await using on = await bench(async (_, tell) => {
      tell({ kind: 'step', id: step, name: 'RUN make', inputs: [], lines: undefined })
      tell({ kind: 'cached', id: step, at: 1000 })
      tell({ kind: 'completed', id: step, at: 2000, error: undefined })
      return image
    })
    await on.buildx()
    const [status] = await Array.fromAsync(on.grpc.responses(control.status, { ref: 'build-1' }))
    assert.deepEqual(
      status?.vertexes.map(({ cached, completed }) => [cached, completed?.seconds]),
      [
        [false, undefined],
        [true, 1],
      ],
    )
  })

  test('that writes for hours is clipped, step by step', async () => {
    await using on = await bench(async (_, tell) => {
      tell({ kind: 'step', id: step, name: 'RUN yes', inputs: [], lines: undefined })
      for (let i = 0; i < 100; i++)
        tell({ kind: 'output', id: step, stream: 'stdout', data: Buffer.alloc(64 * 1024, 'y'), at: now() })
      return image
    })
    const solved = on.buildx()
    const logs: Buffer[] = []
    for await (const status of on.grpc.responses(control.status, { ref: 'build-1' }))
      logs.push(...status.logs.map(({ data }) => Buffer.from(data)))
    await solved
    const text = Buffer.concat(logs)
    assert.equal(text.subarray(0, mostOutput).compare(Buffer.alloc(mostOutput, 'y')), 0)
    assert.equal(text.subarray(mostOutput).toString(), '\n[output clipped, log limit 2MiB reached]\n')
  })

  test('that failed says where, in words and in details', async () => {
    await using on = await bench(async (_, tell) => {
      tell({ kind: 'step', id: step, name: '[1/1] RUN make', inputs: [], lines: { first: 2, last: 2 } })
      tell({ kind: 'completed', id: step, at: now(), error: 'exit code: 2' })
      const cause = new Failure('invalid', 'process "make" did not complete successfully: exit code: 2')
      throw new BuildFailure(cause, {
        source: { name: 'Dockerfile', text: 'FROM base\nRUN make\n' },
        lines: { first: 2, last: 2 },
      })
    })
    let failed: unknown
    await assert.rejects(on.buildx(), error => {
      assert.ok(error instanceof GrpcFailure)
      assert.equal(error.message, 'process "make" did not complete successfully: exit code: 2')
      const details = new Map(
        error.details.map(({ typeUrl, value }) => [typeUrl, JSON.parse(Buffer.from(value).toString())]),
      )
      failed = details.get('github.com/moby/buildkit/errdefs.Vertex+json').digest
      const source = details.get('github.com/moby/buildkit/errdefs.Source+json')
      assert.equal(source.info.filename, 'Dockerfile')
      assert.equal(Buffer.from(source.info.data, 'base64').toString(), 'FROM base\nRUN make\n')
      assert.deepEqual(source.ranges, [{ start: { line: 2 }, end: { line: 2 } }])
      return true
    })
    const [status] = await Array.fromAsync(on.grpc.responses(control.status, { ref: 'build-1' }, { timeout: 5000 }))
    assert.equal(status?.vertexes.at(-1)?.digest, failed)
    assert.deepEqual(on.problems, [])
  })

  test('ends when its client takes it back, and its name is free again', async () => {
    const begun = Promise.withResolvers<void>()
    const stopped = Promise.withResolvers<void>()
    let first = true
    await using on = await bench(async (_, _tell, signal) => {
      if (!first) return image
      first = false
      begun.resolve()
      if (!signal.aborted) await once(signal, 'abort')
      stopped.resolve()
      throw new Failure('cancelled', 'Cannot build: cancelled')
    })
    const controller = new AbortController()
    const build = on.buildx({ signal: controller.signal })
    await begun.promise
    controller.abort()
    await assert.rejects(build, error => isFailure(error, 'cancelled'))
    await stopped.promise
    await assert.doesNotReject(on.buildx())
  })

  test('goes straight to the Dockerfile frontend for a client that is none', async () => {
    await using on = await bench(async () => image)
    const { exporterResponse } = await on.grpc.call(control.solve, {
      ref: 'direct',
      session: 'session-1',
      frontend: 'dockerfile.v0',
      frontendAttributes: new Map([['target', 'x']]),
      exporters: [{ type: 'moby' }],
    })
    assert.equal(exporterResponse.get('containerimage.digest'), image.id)
    assert.equal(on.requests[0]?.target, 'x')
  })

  test('takes the result of another build for a context, and no other definition', async () => {
    await using on = await bench(async () => image)
    const metadata = new Map([['buildkit-controlapi-buildid', ['a']]])
    const solved = on.grpc.call(control.solve, { ref: 'a', session: 'session-1' })
    const { result } = await on.grpc.call(llbBridge.solve, { frontend: 'dockerfile.v0' }, { metadata })
    const definition = result?.ref?.definition
    const options = new Map([['context:base', 'input:base']])
    const inputs = (given: typeof definition) => new Map([['base', given!]])
    const call = { frontend: 'dockerfile.v0', frontendOptions: options }
    await on.grpc.call(llbBridge.solve, { ...call, frontendInputs: inputs(definition) }, { metadata })
    assert.deepEqual(on.requests[1]?.namedContexts.get('base'), { kind: 'image', reference: image.id })
    const foreign = { ...definition!, def: [definition!.def[1]!] }
    await assert.rejects(on.grpc.call(llbBridge.solve, { ...call, frontendInputs: inputs(foreign) }, { metadata }), {
      message: /LLB/,
    })
    await on.grpc.call(llbBridge.return, { result: {} }, { metadata })
    await solved
  })

  test('refuses by name what it does not do', async () => {
    await using on = await bench(async () => image)
    const refused = async (request: From<typeof control.solve.request>, message: RegExp) => {
      const given = { session: 'session-1', frontend: 'dockerfile.v0', ref: 'r', ...request }
      await assert.rejects(on.grpc.call(control.solve, given), { message })
    }
    await refused({ definition: { def: [Buffer.from('0a00', 'hex')] } }, /Cannot build from LLB/)
    await refused({ exporters: [{ type: 'magic' }] }, /exporter "magic" could not be found/)
    await refused({ frontend: 'nix.v0' }, /frontend "nix.v0"/)
    await refused({ sourcePolicy: { rules: [Buffer.alloc(1)] } }, /source policies/)
    await refused({ ref: '' }, /without a name/)
    const attribute = (key: string, value: string) => ({ frontendAttributes: new Map([[key, value]]) })
    await refused(attribute('platform', 'linux/amd64,linux/arm64'), /several platforms/)
    await refused(attribute('unheard-of', '1'), /option "unheard-of" is not known/)
    await refused(attribute('attest:sbom', 'generator=x'), /attestations \("sbom"\)/)
    await refused(attribute('context:x', 'oci-layout://y'), /invalid oci-layout reference/)
    await refused(attribute('add-hosts', 'db'), /invalid key-value pair db/)
    await refused(attribute('ulimit', 'nofile=x'), /invalid ulimit/)
    await refused(attribute('force-network-mode', 'moon'), /invalid netmode moon/)
    assert.equal(on.requests.length, 0)
  })
})

test('the build cache is listed and cleared away', async () => {
  await using on = await bench(async () => image)
  const { record } = await on.grpc.call(control.diskUsage, { filter: ['type==regular'] })
  assert.partialDeepStrictEqual(record[0], { id: 'step-1', size: 10, usageCount: 3, recordType: 'regular' })
  assert.deepEqual((await on.grpc.call(control.diskUsage, { filter: ['type==source.http'] })).record, [])
  const gone = await Array.fromAsync(on.grpc.responses(control.prune, { all: true, keepDuration: 1e9 }))
  assert.deepEqual(
    gone.map(({ id, size }) => [id, size]),
    [['step-1', 10]],
  )
  await assert.rejects(on.grpc.call(control.diskUsage, { filter: ['size!=1'] }), { message: /by "size!=1"/ })
})

test('ListWorkers, Info and the history tell what buildx looks at', async () => {
  await using on = await bench(async () => image)
  const { record } = await on.grpc.call(control.listWorkers, {})
  assert.equal(record[0]?.id, 'worker-1')
  assert.equal(record[0]?.labels.get('org.mobyproject.buildkit.worker.moby.host-gateway-ip'), '172.17.0.1')
  assert.equal(record[0]?.platforms[0]?.os, 'linux')
  assert.match((await on.grpc.call(control.info, {})).version?.version ?? '', /^v\d/)
  assert.deepEqual(await Array.fromAsync(on.grpc.responses(control.listenBuildHistory, { earlyExit: true })), [])
  await assert.rejects(on.grpc.call(llbBridge.ping, {}, { timeout: 500 }), error => isFailure(error, 'cancelled'))
})

describe('the failure of a long Dockerfile', () => {
  const lines = Array.from({ length: 5000 }, (_, i) => `RUN echo ${i + 1} ${'é'.repeat(40)}`)
  const failed = (text: string, first: number, last: number) => {
    const source = { name: 'Dockerfile', text }
    const cause = new Failure('invalid', 'it failed')
    const error = solveError(new BuildFailure(cause, { source, lines: { first, last } }), 'sha256:1')
    const trailers = trailersOf(error)
    // nghttp2 sends no more
    assert.ok(JSON.stringify(trailers).length < 64 * 1024)
    const read = failureOfTrailers(JSON.parse(JSON.stringify(trailers)))
    assert.ok(read instanceof GrpcFailure)
    const detail = read.details.find(({ typeUrl }) => typeUrl.includes('Source'))
    const { info } = JSON.parse(Buffer.from(detail!.value).toString()) as { info: { data: string } }
    return { message: read.message, sent: Buffer.from(info.data, 'base64').toString().split('\n') }
  }

  test('is told with the lines around its place, which keep their numbers', () => {
    const { message, sent } = failed(lines.join('\n'), 3000, 3001)
    assert.equal(message, 'it failed')
    assert.deepEqual(sent.slice(2997, 3003), lines.slice(2997, 3003))
    assert.equal(sent[0], '')
  })

  test('is told though one line is longer than all that can be sent', () => {
    const { sent } = failed(`FROM a\nRUN ${'x'.repeat(100_000)}\n`, 2, 2)
    assert.equal(sent[0], 'FROM a')
    assert.match(sent[1]!, /^RUN x{100,200}$/)
  })

  test('is told whole when it is short', () => {
    assert.deepEqual(failed('FROM a\nRUN b\n', 2, 2).sent, ['FROM a', 'RUN b', ''])
  })
})

test('details that are too long for the trailers are left out, and the message is not', () => {
  const details = [{ typeUrl: 'x', value: Buffer.alloc(100_000) }]
  assert.deepEqual(trailersOf(new GrpcFailure('internal', 'so', { details })), {
    'grpc-status': '2',
    'grpc-message': 'so',
  })
})
