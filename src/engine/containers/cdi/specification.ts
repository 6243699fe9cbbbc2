/** One file of the Container Device Interface, checked: what a vendor's devices add to a container. (CDI SPEC.md, versions 0.3 to 1.0) */
import { z } from 'zod'
import { isDevice, isKind } from '../../../api/device-names.ts'

const versions = ['0.3.0', '0.4.0', '0.5.0', '0.6.0', '0.7.0', '0.8.0', '1.0.0', '1.1.0']

const absolute = z.string().regex(/^\/[^\0]*$/, 'it should be an absolute path')
const inside = absolute.refine(path => !path.split('/').includes('..'), 'it should not hold ".."')
const number = z.int().min(0)

const edits = z
  .strictObject({
    env: z.array(z.string().regex(/^[^=\0]+=[^\0]*$/, 'it should be NAME=VALUE')),
    deviceNodes: z.array(
      z.strictObject({
        path: inside,
        hostPath: absolute.optional(),
        type: z.enum(['b', 'c', 'u', 'p']).optional(),
        major: number.optional(),
        minor: number.optional(),
        fileMode: number.optional(),
        permissions: z
          .string()
          .regex(/^[rwm]{1,3}$/, 'it should be of r, w and m')
          .optional(),
        uid: number.optional(),
        gid: number.optional(),
      }),
    ),
    mounts: z.array(
      z.strictObject({
        hostPath: absolute,
        containerPath: inside,
        options: z.array(z.string()).default([]),
        type: z.string().optional(),
      }),
    ),
    hooks: z.array(
      z.strictObject({
        hookName: z.enum(['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop']),
        path: absolute,
        args: z.array(z.string()).optional(),
        env: z.array(z.string()).optional(),
        timeout: z.int().optional(),
      }),
    ),
    netDevices: z.array(z.looseObject({})),
    additionalGids: z.array(number),
    intelRdt: z.looseObject({}),
  })
  .partial()

const annotations = z.record(z.string(), z.string()).optional()

export const specificationSchema = z.strictObject({
  cdiVersion: z.enum(versions, `it should be one of ${versions.join(', ')}`),
  kind: z.string().refine(isKind, 'it should be VENDOR/CLASS'),
  annotations,
  devices: z
    .array(
      z.strictObject({
        name: z.string().refine(isDevice, 'it is no name of a device'),
        annotations,
        containerEdits: edits,
      }),
    )
    .min(1),
  containerEdits: edits.default({}),
})

export type Specification = z.output<typeof specificationSchema>
export type Edits = z.output<typeof edits>
