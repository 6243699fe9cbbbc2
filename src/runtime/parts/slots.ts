/** Slots: 0 the root, 1 /dev, 2 /dev/pts, 3 passing, 4 another container's /dev/shm, 5–24 cgroups, 25–254 mounts that are taken before they are placed. */
export const slots = { root: 0, dev: 1, pts: 2, passing: 3, shm: 4, groups: 5, taken: 25, last: 254 } as const
