import { readTorch } from "@gradlab/torch-files";

// What `torch.save({"bias": torch.tensor([0.5, -2.0])}, "small.pth")` wrote, in base64 (zipped once more, to be short).
const base64 =
  "UEsDBBQAAAAIAAAAIQCPFUFrlAAAAKUAAAAKAAAAYS9kYXRhLnBrbCXLsQrCMBSF4TStVqO+R7sU8RnEJYNYl2yhvQ0aCI03uXUTXDr41gY6Hfj5zpd/kKmCMdbbLmIG5AM8Gz2RdVHoYPrJukGTGaMP+n0SyKtKlcnHJLuHwXy5iIvzHd2XKLBQWTJHXKk8LbwmXEtOWN4kk3zGjcxm3P4AvHMGyPoximsYTDDD2QIJFHWLO8J9i4fY/AFQSwMEFAAAAAgAAAAhAI4yN90KAAAACAAAAAgAAABhL2RhdGEvMGNgYLBnYGA4AABQSwECFAMUAAAACAAAACEAjxVBa5QAAAClAAAACgAAAAAAAAAAAAAAgAEAAAAAYS9kYXRhLnBrbFBLAQIUAxQAAAAIAAAAIQCOMjfdCgAAAAgAAAAIAAAAAAAAAAAAAACAAbwAAABhL2RhdGEvMFBLBQYAAAAAAgACAG4AAADsAAAAAAA=";
const { tensors, format } = readTorch(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
for (const [name, { dtype, shape, data }] of tensors) console.log(format, name, dtype, shape, data);
