/** What a container may do and why, asked of containers that run, on ours and on a real Docker Engine where there is one. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { onBothEngines } from '../support/both-engines.ts'

const project = `explain${process.pid}`

await onBothEngines('explain', [project], ground => {
  before(async () => {
    ground().write(
      'compose.yaml',
      `name: ${project}
services:
  web:
    image: ${ground().image}
    command: sleep 99
    stop_grace_period: 0s
    network_mode: none
    mem_limit: 64m
    cpus: 0.5
    cap_drop: [MKNOD]
    cap_add: [NET_ADMIN]
    read_only: true
    volumes: ["data:/data", "./:/src:ro"]
    ulimits: {nofile: 1000}
volumes: {data: {}}
`,
    )
    await ground().run('.', 'up', '-d')
  })

  test('--security tells what it may do, what differs from the default, and where the stack says so', async () => {
    const text = await ground().run('.', 'explain', '--security', 'web')
    assert.match(
      text,
      /^\* capabilities {4}AUDIT_WRITE, .*NET_ADMIN.*\n +usually 14 of them: this has NET_ADMIN more, and MKNOD less {2}# compose.yaml:1[01]:5 services.web.cap_/m,
    )
    assert.match(
      text,
      /^\* writes to {7}\/data \(volume \S+_data\)\n +usually its root {2}# compose.yaml:12:5 services.web.read_only$/m,
    )
    assert.match(text, /^\* reads {11}\/src \(\S+ of the host\)$/m)
    assert.match(text, /^\* memory {10}64 MiB at most$/m)
    assert.match(text, /^ {2}privileged {6}no$/m)
    const { rights } = JSON.parse(await ground().run('.', 'explain', '--security', '--json', 'web'))
    const network = rights.find(({ topic }: { topic: string }) => topic === 'network')
    assert.equal(network.now, 'none')
    assert.equal(network.place, 'compose.yaml:7:5')
  })

  test('tells by what it is about what was done because of the stack, and leaves defaults out unless they are asked for', async () => {
    if (ground().kind === 'Docker') {
      const { code, stderr } = await ground().attempt('.', 'explain', 'web')
      assert.equal(code, 1)
      assert.match(stderr, /does not tell how it was made\n {2}See what it may do with --security/)
      return
    }
    const text = await ground().run('.', 'explain', 'web')
    assert.match(text, /^Limits\n {2}Memory is limited to 64 MiB +# compose.yaml:8:5 services.web.mem_limit$/m)
    assert.match(
      text,
      /^ {2}Processor time is limited to \S+ (ms in each period|of a processor) +# compose.yaml:9:5 services.web.cpus$/m,
    )
    assert.match(text, /^ {2}RLIMIT_NOFILE is 1000 +# compose.yaml:14:5 services.web.ulimits$/m)
    assert.match(
      text,
      /^Mounts\n {2}\/data is the volume \S+_data +# compose.yaml:13:\d+ services.web.volumes.0\n {2}\/src is \S+ of the host, read-only/m,
    )
    assert.doesNotMatch(text, /# default/)
    assert.match(text, /\d+ defaults not shown: see "tscompose explain --all web"\n$/)
    const all = await ground().run('.', 'explain', '--all', 'web')
    assert.match(all, /Namespaces of its own: .*\(CLONE_NEWNS\|CLONE_NEWPID\|CLONE_NEWIPC\|CLONE_NEWUTS\)/)
    assert.match(await ground().run('.', 'explain', '--steps', 'web'), /attributes slot=0 set=MOUNT_ATTR_RDONLY /)
    const { facts, steps } = JSON.parse(await ground().run('.', 'explain', '--json', 'web'))
    // every step is behind one sentence
    const told = facts.flatMap((fact: { steps: readonly number[] }) => fact.steps).sort((a: number, b: number) => a - b)
    assert.deepEqual(
      told,
      steps.map((_: unknown, index: number) => index + 1),
    )
  })
})
