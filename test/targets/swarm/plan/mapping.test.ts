/** What of the format goes to a swarm under other names, and what no swarm takes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProblemsFailure } from '../../../../src/lib/problems.ts'
import type { Project } from '../../../../src/model/project.ts'
import { printPlan } from '../../../../src/plan/print.ts'
import { rowText, summarize } from '../../../../src/plan/summary.ts'
import { reconcile } from '../../../../src/targets/swarm/plan/reconcile.ts'
import { load } from '../../../stack/stacks.ts'
import { applied, nothing } from '../there.ts'

const wish = {}
const project = async (yaml: string): Promise<Project> => (await load(yaml)).project
const rows = (plan: Parameters<typeof summarize>[0][number]) => summarize([plan]).map(rowText)

test('what nodes count, templates, options of tmpfs and a bind without what is mounted below go to a swarm', async () => {
  const yaml = (count: number, driver = 'golang') => `services:
  a:
    image: i
    tmpfs: ["/t:noexec,uid=5"]
    volumes: [{type: bind, source: /tmp, target: /host, bind: {recursive: disabled}}]
    configs: [c]
    deploy: {resources: {reservations: {generic_resources: [{discrete_resource_spec: {kind: gpu, value: ${count}}}]}}}
configs: {c: {content: "{{.Node.ID}}", template_driver: ${driver}}}
`
  const plan = reconcile(await project(yaml(2)), nothing(), wish)
  const made = plan.nodes.flatMap(({ operation }) => (operation.kind === 'create-service' ? [operation.spec] : []))
  const { ContainerSpec, Resources } = made[0]!.TaskTemplate
  assert.deepEqual(Resources?.Reservations?.GenericResources, [{ DiscreteResourceSpec: { Kind: 'gpu', Value: 2 } }])
  const bind = { Propagation: 'rprivate', NonRecursive: true }
  assert.deepEqual(ContainerSpec.Mounts, [
    { Type: 'bind', Target: '/host', Source: '/tmp', BindOptions: bind },
    { Type: 'tmpfs', Target: '/t', TmpfsOptions: { Options: [['noexec']] } },
  ])
  const config = plan.nodes.flatMap(({ operation }) =>
    operation.kind === 'create-config' ? [operation.file.spec] : [],
  )
  assert.deepEqual(config[0]?.Templating, { Name: 'golang' })
  const there = applied(plan, nothing())
  assert.ok(reconcile(await project(yaml(2)), there, wish).empty)
  assert.deepEqual(rows(reconcile(await project(yaml(3)), there, wish)), [
    '~ a: recreate  deploy.resources.reservations.generic_resources.gpu 2→3',
  ])
  // another driver makes another content of it
  assert.match(printPlan(reconcile(await project(yaml(2, 'other')), there, wish)), /create-config/)
})

test('a mount that no swarm has, and a profile that is not there, are refused at their place', async () => {
  const stack = `services:
  a: {image: i, volumes: [{type: image, source: other, target: /o}]}
  b: {image: i, security_opt: ["no-new-privileges", "seccomp=none.json"]}
`
  const failure = await project(stack).then(found => {
    try {
      return reconcile(found, nothing(), wish)
    } catch (error) {
      return error
    }
  })
  assert.ok(failure instanceof ProblemsFailure)
  assert.deepEqual(
    failure.problems.map(({ path, message }) => `${path?.join('.')} ${message}`),
    [
      'services.a.volumes.0 Cannot run service "a" in a swarm: it mounts no image',
      'services.b.security_opt.1 Cannot run service "b" in a swarm: "seccomp=none.json" is no readable file of JSON',
    ],
  )
})
