"""Writes the python-*.bin files beside it, with kafka-python 3.0.12, lz4, zstandard and python-snappy:
python golden_batches.py FOLDER"""
import sys
from kafka.record.default_records import DefaultRecordBatchBuilder
out=sys.argv[1]
for name,c in [("none",0),("gzip",1),("snappy",2),("lz4",3),("zstd",4)]:
    b=DefaultRecordBatchBuilder(magic=2,compression_type=c,is_transactional=1,producer_id=7001,producer_epoch=3,base_sequence=42,batch_size=1<<20)
    for i in range(300):
        key=None if i%5==0 else b"key-%d"%(i%11)
        value=None if i%7==3 else b"value-%d-"%i+b"0123456789"*(i%30)
        headers=[("h%d"%h, None if h==1 else bytes([i%256])) for h in range(i%3)]
        m=b.append(i,timestamp=1_700_000_000_000+37*i-1000*(i%4),key=key,value=value,headers=headers); assert m
    open(f"{out}/python-{name}.bin","wb").write(b.build())
