export default { test: { root: "/work/wt/geometry/integration/browser", include: ["geometry.test.ts"], update: "none", testTimeout: 120000, hookTimeout: 600000 } };
