"""Code that goes with an export: a Unity script that plays recordings on the shapes."""

from __future__ import annotations

UNITY_PLAYER_FILE = "FaceTakePlayer.cs"

UNITY_PLAYER = """\
// Plays a recording (the CSV of 'hrn-studio track' or of Live Link Face) on the head's shapes.
// Put it on the object with the Skinned Mesh Renderer and drop the CSV on "Take".
// "Head" is the joint called head; leave it empty to keep the head still.
using System;
using System.Collections.Generic;
using System.Globalization;
using UnityEngine;

[RequireComponent(typeof(SkinnedMeshRenderer))]
public sealed class FaceTakePlayer : MonoBehaviour
{
    public TextAsset take;
    public Transform head;
    public bool loop = true;
    [Range(0f, 2f)] public float speed = 1f;

    private SkinnedMeshRenderer face;
    private readonly List<float> times = new List<float>();
    private readonly List<float[]> rows = new List<float[]>();
    private int[] shapes = Array.Empty<int>();
    private int yaw = -1, pitch = -1, roll = -1;
    private float fullWeight = 100f;
    private float clock;
    private Quaternion rest = Quaternion.identity;

    private void Start()
    {
        face = GetComponent<SkinnedMeshRenderer>();
        if (face.sharedMesh.blendShapeCount > 0)
        {
            // FBX files give 100, glTF importers 1.
            fullWeight = face.sharedMesh.GetBlendShapeFrameWeight(0, 0);
        }
        if (head != null)
        {
            rest = head.localRotation;
        }
        Read(take != null ? take.text : string.Empty);
    }

    private void Update()
    {
        if (times.Count == 0)
        {
            return;
        }
        float length = times[times.Count - 1];
        clock += Time.deltaTime * speed;
        float now = loop && length > 0f ? Mathf.Repeat(clock, length) : Mathf.Min(clock, length);
        int next = times.BinarySearch(now);
        next = Mathf.Clamp(next < 0 ? ~next : next, 1, Mathf.Max(1, times.Count - 1));
        int last = Mathf.Min(next, times.Count) - 1;
        next = Mathf.Min(next, times.Count - 1);
        float share = next > last ? Mathf.InverseLerp(times[last], times[next], now) : 0f;
        float[] a = rows[last];
        float[] b = rows[next];
        for (int column = 0; column < shapes.Length; column++)
        {
            if (shapes[column] >= 0)
            {
                float weight = Mathf.Clamp01(Mathf.Lerp(a[column], b[column], share));
                face.SetBlendShapeWeight(shapes[column], weight * fullWeight);
            }
        }
        if (head != null && yaw >= 0 && pitch >= 0 && roll >= 0)
        {
            head.localRotation = rest * Quaternion.Slerp(Turn(a), Turn(b), share);
        }
    }

    // Radians: yaw to the subject's left, pitch up, roll of the top to the subject's right.
    private Quaternion Turn(float[] row)
    {
        return Quaternion.AngleAxis(-row[roll] * Mathf.Rad2Deg, Vector3.forward)
            * Quaternion.AngleAxis(-row[yaw] * Mathf.Rad2Deg, Vector3.up)
            * Quaternion.AngleAxis(-row[pitch] * Mathf.Rad2Deg, Vector3.right);
    }

    private void Read(string text)
    {
        string[] lines = text.Split(new[] { '\\r', '\\n' }, StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length < 2)
        {
            Debug.LogWarning("FaceTakePlayer: there is no recording to play", this);
            return;
        }
        string[] names = lines[0].Split(',');
        shapes = new int[names.Length];
        for (int column = 0; column < names.Length; column++)
        {
            shapes[column] = IndexOf(names[column].Trim());
        }
        yaw = Array.IndexOf(names, "HeadYaw");
        pitch = Array.IndexOf(names, "HeadPitch");
        roll = Array.IndexOf(names, "HeadRoll");
        float first = 0f;
        for (int line = 1; line < lines.Length; line++)
        {
            string[] cells = lines[line].Split(',');
            float[] row = new float[names.Length];
            for (int column = 2; column < Mathf.Min(cells.Length, names.Length); column++)
            {
                float.TryParse(cells[column], NumberStyles.Float, CultureInfo.InvariantCulture,
                    out row[column]);
            }
            string[] code = cells[0].Split(':');
            if (code.Length != 4)
            {
                continue;
            }
            float time = 3600f * Number(code[0]) + 60f * Number(code[1]) + Number(code[2])
                + Number(code[3]) / 60f;
            if (times.Count == 0)
            {
                first = time;
            }
            else if (time - first <= times[times.Count - 1])
            {
                continue;
            }
            times.Add(time - first);
            rows.Add(row);
        }
    }

    private static float Number(string text)
    {
        return float.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    // The shape's number, whatever prefix an importer gave it; -1 when the head lacks it.
    private int IndexOf(string name)
    {
        for (int index = 0; index < face.sharedMesh.blendShapeCount; index++)
        {
            string shape = face.sharedMesh.GetBlendShapeName(index);
            shape = shape.Substring(shape.LastIndexOf('.') + 1);
            if (string.Equals(shape, name, StringComparison.OrdinalIgnoreCase))
            {
                return index;
            }
        }
        return -1;
    }
}
"""
